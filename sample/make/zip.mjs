// A zip archive of stored (uncompressed) entries with one fixed date, so that the bytes depend on the
// content alone. Enough for a chat export; no Zip64, no compression. Format: PKWARE APPNOTE 4.3.

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1
  return n >>> 0
})

function crc32(bytes) {
  let crc = 0xffffffff
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

const UTF8_NAMES = 0x0800
const DOS_TIME = (9 << 11) | (12 << 5), DOS_DATE = ((2024 - 1980) << 9) | (12 << 5) | 1 // 1 Dec 2024, 09:12

/** The fields that the local header and the central directory share, from "version needed" on. */
function common(name, bytes) {
  const b = Buffer.alloc(26)
  b.writeUInt16LE(20, 0)
  b.writeUInt16LE(UTF8_NAMES, 2)
  b.writeUInt16LE(DOS_TIME, 6)
  b.writeUInt16LE(DOS_DATE, 8)
  b.writeUInt32LE(crc32(bytes), 10)
  b.writeUInt32LE(bytes.length, 14)
  b.writeUInt32LE(bytes.length, 18)
  b.writeUInt16LE(name.length, 22)
  return b
}

/** [[name, bytes]…] → the bytes of the archive. */
export function zip(entries) {
  const body = [], directory = []
  let offset = 0
  for (const [path, bytes] of entries) {
    const name = Buffer.from(path), fields = common(name, bytes)
    body.push(Buffer.from('PK\x03\x04', 'latin1'), fields, name, bytes)
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\x03', 'latin1'), fields, tail, name)
    offset += 30 + name.length + bytes.length
  }
  const list = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 0, 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(list.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...body, list, end])
}
