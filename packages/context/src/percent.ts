/**
 * Percent-encodes any string. A surrogate without its other half, of which `encodeURIComponent` throws, is
 * written as the three bytes of WTF-8: left out, or as U+FFFD, two values would become one.
 */
export function encodeText(text: string): string {
  if (text.isWellFormed()) return encodeURIComponent(text)
  return text.replaceAll(/\P{Surrogate}+|\p{Surrogate}/gu, (part) =>
    part.isWellFormed() ? encodeURIComponent(part) : encodeSurrogate(part.charCodeAt(0)),
  )
}

/**
 * Reads what {@link encodeText} has written.
 *
 * @throws URIError
 */
export function decodeText(text: string): string {
  // In UTF-8 these bytes never follow each other.
  return text
    .split(/(%ED%[AB][\dA-F]%[89AB][\dA-F])/i)
    .map((part, index) => (index % 2 === 0 ? decodeURIComponent(part) : decodeSurrogate(part)))
    .join('')
}

function encodeSurrogate(code: number): string {
  const bytes = [0xed, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]
  return bytes.map((byte) => `%${byte.toString(16).toUpperCase()}`).join('')
}

function decodeSurrogate(part: string): string {
  const [, second = 0, third = 0] = part
    .slice(1)
    .split('%')
    .map((byte) => Number.parseInt(byte, 16))
  return String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f))
}
