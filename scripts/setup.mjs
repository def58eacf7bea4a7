// Installs what is missing, for every other command: system packages and npm packages.
// Quick when nothing is missing. What to build is left to the scripts that call it.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { root, has, run } from "./run.mjs";

/// What must be there, how to see that it is, and its packages by system.
const needs = {
  build: [
    { name: "a C compiler", there: () => has("cc"), apt: ["build-essential"], dnf: ["gcc", "gcc-c++", "make"], pacman: ["base-devel"] },
    { name: "pkg-config", there: () => has("pkg-config"), apt: ["pkg-config"], dnf: ["pkgconf"], pacman: ["pkgconf"] },
    {
      name: "the protobuf compiler",
      there: () => has("protoc") && protobufFiles(),
      apt: ["protobuf-compiler", "libprotobuf-dev"],
      dnf: ["protobuf-compiler", "protobuf-devel"],
      pacman: ["protobuf"],
    },
    {
      name: "the web view",
      there: () => library("webkit2gtk-4.1") && library("librsvg-2.0"),
      apt: ["libwebkit2gtk-4.1-dev", "librsvg2-dev", "libxdo-dev", "libayatana-appindicator3-dev"],
      dnf: ["webkit2gtk4.1-devel", "librsvg2-devel", "libxdo-devel", "libappindicator-gtk3-devel"],
      pacman: ["webkit2gtk-4.1", "librsvg", "xdotool", "libappindicator-gtk3"],
    },
  ],
  test: [
    { name: "a display without a screen", there: () => has("Xvfb") && has("xauth"), apt: ["xvfb", "xauth"], dnf: ["xorg-x11-server-Xvfb", "xorg-x11-xauth"], pacman: ["xorg-server-xvfb", "xorg-xauth"] },
    { name: "a session bus", there: () => has("dbus-run-session"), apt: ["dbus"], dnf: ["dbus-daemon"], pacman: ["dbus"] },
    { name: "the web view's driver", there: () => has("WebKitWebDriver"), apt: ["webkit2gtk-driver"], dnf: ["webkit2gtk4.1"], pacman: ["webkit2gtk-4.1"] },
    { name: "Chromium", there: () => has("chromium"), apt: ["chromium"], dnf: ["chromium"], pacman: ["chromium"] },
    { name: "ImageMagick", there: () => has("import") && has("identify"), apt: ["imagemagick"], dnf: ["ImageMagick"], pacman: ["imagemagick"] },
    { name: "strace", there: () => has("strace"), apt: ["strace"], dnf: ["strace"], pacman: ["strace"] },
  ],
};

/// Makes ready for "build", or for "build" and "test".
export function setup(kind = "build") {
  if (!has("cargo")) fail("Rust is missing: install it from https://rustup.rs, then run this again.");
  if (process.platform === "darwin") mac();
  if (process.platform === "linux") linux(kind === "test" ? [...needs.build, ...needs.test] : needs.build);
  npmPackages();
}

function linux(wanted) {
  const missing = wanted.filter((need) => !need.there());
  if (missing.length === 0) return;
  const manager = ["apt", "dnf", "pacman"].find((m) => has(m === "apt" ? "apt-get" : m));
  if (!manager) fail(`Missing: ${missing.map((m) => m.name).join(", ")}. Install them with this system's package manager, then run this again.`);
  const packages = missing.flatMap((m) => m[manager]);
  console.log(`Installing ${missing.map((m) => m.name).join(", ")}`);
  const sudo = process.getuid() === 0 ? [] : ["sudo"];
  const [command, ...rest] = {
    apt: ["apt-get", "install", "-y", "-qq", ...packages],
    dnf: ["dnf", "install", "-y", ...packages],
    pacman: ["pacman", "-S", "--needed", "--noconfirm", ...packages],
  }[manager];
  if (manager === "apt") run([...sudo, "apt-get", "update", "-qq"]);
  run([...sudo, command, ...rest], { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  const still = missing.filter((need) => !need.there());
  if (still.length > 0) fail(`Still missing after the installation: ${still.map((m) => m.name).join(", ")}.`);
}

function mac() {
  if (spawnSync("xcode-select", ["-p"]).status !== 0) fail("Xcode's command line tools are missing: run `xcode-select --install`, then run this again.");
  if (!has("protoc")) fail("The protobuf compiler is missing: run `brew install protobuf`, then run this again.");
}

/// npm packages of the UI, again only when the lock file has changed.
function npmPackages() {
  const lock = createHash("sha256").update(readFileSync(join(root, "ui/package-lock.json"))).digest("hex");
  const stamp = join(root, "ui/node_modules/.evoke-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], { cwd: join(root, "ui") });
  writeFileSync(stamp, lock);
}

function library(name) {
  return spawnSync("pkg-config", ["--exists", name]).status === 0;
}

/// protoc finds google/protobuf/*.proto beside itself.
function protobufFiles() {
  return ["/usr/include", "/usr/local/include"].some((p) => existsSync(join(p, "google/protobuf/empty.proto")));
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

if (process.argv[1] === new URL(import.meta.url).pathname) setup(process.argv[2]);
