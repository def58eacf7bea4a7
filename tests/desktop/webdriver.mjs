// The few WebDriver commands (https://www.w3.org/TR/webdriver2/) that the window's tests need, over fetch.
// WebKitWebDriver is spoken to directly: what tauri-driver would add is one variable and another name for
// `webkitgtk:browserOptions`.

import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { start, until } from "./stage.mjs";

const elementKey = "element-6066-11e4-a52e-4f735466cecf";
export const keys = { enter: "\uE007", escape: "\uE00C", delete: "\uE017" };

/** Starts the driver on the stage, which starts the app. Gives the open window. */
export async function openWindow(stage, app) {
  const port = await freePort();
  stage.more = { TAURI_WEBVIEW_AUTOMATION: "true" };
  start(stage, "window", ["WebKitWebDriver", `--port=${port}`, "--host=127.0.0.1"]);
  const at = `http://127.0.0.1:${port}`;
  await until("the driver answers", async () => (await fetch(`${at}/status`)).ok);
  const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": { binary: app, args: [] } } };
  const { sessionId } = await send("POST", `${at}/session`, { capabilities });
  const page = new Page(`${at}/session/${sessionId}`);
  await page.until("the page has loaded", "return document.readyState === 'complete'");
  await page.listen();
  return page;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function send(method, url, body) {
  const response = await fetch(url, { method, body: body && JSON.stringify(body) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
  return value;
}

/** What is shown in the window. Elements are named by CSS selectors, to click also by XPaths; the first that fits is meant. */
class Page {
  constructor(session) {
    this.session = session;
  }

  /** Runs the body of a function in the page; gives what it returns. */
  run(body, ...args) {
    return send("POST", `${this.session}/execute/sync`, { script: body, args });
  }

  /** Asks the memory as the page itself does. */
  async call(call) {
    const script = `const [call, done] = arguments;
      window.__TAURI_INTERNALS__.invoke("call", { call }).then((ok) => done({ ok }), (error) => done({ error }));`;
    const { ok, error } = await send("POST", `${this.session}/execute/async`, { script, args: [call] });
    if (error) throw new Error(`${call.call}: ${error.message ?? error}`);
    return ok.value;
  }

  /** Waits until the body of a function gives something true. */
  until(what, body, ...args) {
    return until(what, () => this.run(body, ...args));
  }

  /** Text on screen, spaces as a reader sees them. */
  async text(css) {
    const text = await this.run("return document.querySelector(arguments[0])?.innerText ?? ''", css);
    return text.replace(/\s+/g, " ").trim();
  }

  untilText(css, part) {
    return until(`"${part}" in ${css}`, async () => (await this.text(css)).includes(part));
  }

  /** `place` is a CSS selector, or an XPath where it begins with "//". */
  async find(place) {
    const using = place.startsWith("//") ? "xpath" : "css selector";
    const found = await until(`${place} is there`, () =>
      send("POST", `${this.session}/element`, { using, value: place }),
    );
    return `${this.session}/element/${found[elementKey]}`;
  }

  /** A click of the pointer: fails where something lies over the element. */
  async click(place) {
    await send("POST", `${await this.find(place)}/click`, {});
  }

  async type(css, text) {
    await send("POST", `${await this.find(css)}/value`, { text });
  }

  /** Presses and releases one key, wherever the focus is. */
  press(key) {
    const actions = ["keyDown", "keyUp"].map((type) => ({ type, value: key }));
    return send("POST", `${this.session}/actions`, { actions: [{ type: "key", id: "keyboard", actions }] });
  }

  /** Goes to a view by its link in the rail. */
  async go(label) {
    await this.click(`nav[aria-label="Views"] a[aria-label="${label}"]`);
    await this.until(`${label} is the current view`, `return document.querySelector('.rail [aria-current]')?.ariaLabel === arguments[0]`, label);
  }

  async shoot(folder, name) {
    for (const theme of ["light", "dark"]) {
      await this.setTheme(theme);
      // Colours glide from one theme to the other.
      await this.until("the colours have settled", `return document.getAnimations().every((a) => a.playState !== "running")`);
      await this.screenshot(join(folder, `${name}-${theme}.png`));
    }
  }

  setTheme(theme) {
    return this.run("document.documentElement.setAttribute('data-theme', arguments[0])", theme);
  }

  async screenshot(path) {
    // On a machine under load the last frame may be of the page before: two frames later it is not.
    const script = "requestAnimationFrame(() => requestAnimationFrame(() => arguments[0](null)))";
    await send("POST", `${this.session}/execute/async`, { script, args: [] });
    writeFileSync(path, Buffer.from(await send("GET", `${this.session}/screenshot`), "base64"));
  }

  /** Keeps what goes wrong in the page from now on: WebDriver has no way to ask for it. */
  listen() {
    return this.run(`window.faults = [];
      const keep = (...words) => window.faults.push(words.map(String).join(" "));
      const say = console.error;
      console.error = (...words) => (keep(...words), say.apply(console, words));
      addEventListener("error", (event) => keep(event.message));
      addEventListener("unhandledrejection", (event) => keep(event.reason?.message ?? event.reason));
      addEventListener("securitypolicyviolation", (event) => keep(event.violatedDirective, event.blockedURI));`);
  }

  faults() {
    return this.run("return window.faults");
  }

  /** Ends the session, and with it the app. */
  async close() {
    await send("DELETE", this.session);
  }
}
