/** The same memory under the type that `node:zlib` and `node:fs` are declared with; nothing is copied. */
export const byteView = (bytes: Buffer): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
