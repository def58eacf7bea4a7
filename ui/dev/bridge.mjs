// The window's door for a plain browser: serves ui/dist and passes each POST /call to a process of
// its own, `EVOKE_BIN stdio`, as a line of JSON. For development and tests on this computer only:
// it listens on 127.0.0.1 and answers no other host name, so that no web page can reach it.
//
//   EVOKE_BIN=target/debug/evoke node ui/dev/bridge.mjs [port]     further arguments go to `stdio`

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const built = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const largestCall = 1 << 20;

/** The policy the desktop window runs under, with the bridge itself in the place of Tauri's channel. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src blob:; connect-src 'self'";

/** @type {Record<string, string>} */
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** @typedef {{ id?: number, ok?: unknown, error?: { kind: string, message: string } }} Answer */

/**
 * Starts the process. The returned function sends a call and gives its answer.
 * @param {string} binary
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
export function startEvoke(binary, args, env = process.env) {
  const child = spawn(binary, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  /** @type {Map<number, (answer: Answer) => void>} */
  const waiting = new Map();
  let last = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    /** @type {Answer} */
    const { id, ...answer } = JSON.parse(line);
    // A line that could not be read is answered without its id. Calls are answered in order.
    const of = id ?? [...waiting.keys()][0] ?? -1;
    waiting.get(of)?.(answer);
    waiting.delete(of);
  });
  const fail = (/** @type {string} */ why) => {
    const error = { kind: 'other', message: `The evoke process ended: ${why}. What was saved is safe.` };
    for (const answer of waiting.values()) answer({ error });
    waiting.clear();
  };
  child.on('error', (error) => fail(error.message));
  child.on('exit', (code) => fail(`exit ${code}`));
  child.stdin.on('error', (error) => fail(error.message));

  /** @param {unknown} call @returns {Promise<Answer>} */
  const send = (call) =>
    new Promise((resolve) => {
      last += 1;
      waiting.set(last, resolve);
      if (child.exitCode !== null) return fail(`exit ${child.exitCode}`);
      child.stdin.write(JSON.stringify({ id: last, call }) + '\n');
    });
  return { send, stop: () => child.kill() };
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @returns {Promise<unknown>} The call in the body.
 */
async function readCall(request) {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
    if (body.length > largestCall) throw new Error('the call is longer than 1 MiB');
  }
  return JSON.parse(body);
}

/**
 * @param {string} dist
 * @param {string} url
 * @param {import('node:http').ServerResponse} response
 */
async function sendFile(dist, url, response) {
  const path = normalize(join(dist, url === '/' ? 'index.html' : decodeURIComponent(url)));
  if (!path.startsWith(dist + sep)) return response.writeHead(403).end();
  try {
    const body = await readFile(path);
    const type = types[extname(path)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-security-policy': policy }).end(body);
  } catch {
    response.writeHead(404).end();
  }
}

/**
 * Serves the interface and its calls on 127.0.0.1.
 * @param {(call: unknown) => Promise<Answer>} send
 * @param {number} port 0 takes any that is free.
 * @param {string} dist The folder of the built interface.
 * @returns {Promise<import('node:http').Server>} listening
 */
export function serve(send, port, dist = built) {
  const server = createServer(async (request, response) => {
    const { pathname, hostname } = new URL(request.url ?? '/', `http://${request.headers.host}`);
    if (!['127.0.0.1', 'localhost'].includes(hostname)) return response.writeHead(403).end();
    if (request.method !== 'POST') return sendFile(dist, pathname, response);
    // A form of another web page cannot send this type without asking first.
    const isJson = request.headers['content-type'] === 'application/json';
    if (pathname !== '/call' || !isJson) return response.writeHead(404).end();
    const answer = await readCall(request)
      .then(send)
      .catch((error) => ({ error: { kind: 'bad_call', message: error.message } }));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const binary = process.env.EVOKE_BIN;
  if (!binary) throw new Error('Set EVOKE_BIN to the evoke binary.');
  const [port = '4173', ...more] = process.argv.slice(2);
  const evoke = startEvoke(binary, ['stdio', ...more]);
  await serve(evoke.send, Number(port));
  console.log(`http://127.0.0.1:${port}`);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (evoke.stop(), process.exit(0)));
}
