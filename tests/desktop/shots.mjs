// Pictures for the README: node tests/desktop/shots.mjs APP [FOLDER], with APP built with the feature
// "automation" (`npm test -- shots` does both). The sample archive in the real window, light and dark.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { binary, root } from "../../scripts/run.mjs";
import { onStage } from "./stage.mjs";
import { openWindow } from "./webdriver.mjs";

const [app, folder = join(root, "docs/shots")] = process.argv.slice(2);
/** Asked in English, answered in German: what the sample is there to show. */
const question = "the plumber Thilo recommended";
/** A day with several conversations. */
const day = "2023-10-12";

await onStage(async (stage) => {
  mkdirSync(folder, { recursive: true });
  const { status, stderr } = spawnSync(binary("evoke"), ["--key-file", "sample"], { env: stage.env, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const page = await openWindow(stage, app);
  await page.type("search input[type=text]", question);
  await page.until("the hits are those of the question", `return document.querySelectorAll('[aria-label="Hits"] mark').length > 0`);
  await page.until("the preview has come", `return document.querySelector('[aria-label="Preview"] .hit') !== null`);
  // A cursor that blinks would make each picture another one.
  await page.run("document.activeElement.blur()");
  for (const theme of ["light", "dark"]) await shoot(page, "search", theme);
  await page.run("location.hash = arguments[0]", `timeline/${day}`);
  await page.until("the day is open", `return document.querySelectorAll('[aria-label="Day"] li').length > 0`);
  await page.until("the year is counted", `return document.querySelectorAll('[role="gridcell"].h4').length > 0`);
  for (const theme of ["light", "dark"]) await shoot(page, "timeline", theme);
  await page.close();
});

async function shoot(page, view, theme) {
  await page.setTheme(theme);
  // Colours glide from one theme to the other.
  await page.until("the colours have settled", `return document.getAnimations().every((a) => a.playState !== "running")`);
  const path = join(folder, `${view}-${theme}.png`);
  await page.screenshot(path);
  console.log(path);
}
