// Looks for words in files, as they or as UTF-16 (databases of web views hold that), and says where.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Files under the folders that hold the word. Sockets and pipes are no files. */
export function filesWith(word, folders) {
  const forms = [Buffer.from(word, "utf8"), Buffer.from(word, "utf16le")];
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.path, entry.name)),
  );
  return files.filter((file) => {
    const bytes = readFileSync(file);
    return forms.some((form) => bytes.includes(form));
  });
}
