/** Of two hexadecimal digits. */
const hex = (byte: number): string => byte.toString(16).padStart(2, "0");

/**
 * A random UUID (version 4). The browser's own `crypto.randomUUID` is missing where a page came over plain HTTP, as it
 * does in many a local network.
 */
export function newKey(
  random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array = (bytes) => crypto.getRandomValues(bytes),
): string {
  const digits = Array.from(random(new Uint8Array(16)), (byte, at) => {
    if (at === 6) return hex((byte & 0x0f) | 0x40);
    return hex(at === 8 ? (byte & 0x3f) | 0x80 : byte);
  }).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
