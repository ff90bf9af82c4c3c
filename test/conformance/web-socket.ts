import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'

/** https://www.rfc-editor.org/rfc/rfc6455#section-1.3 */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Takes WebSocket connections and sends each one text message; no more of RFC 6455 is needed. */
export function webSocketServer(): Server {
  const server = createServer()
  server.on('upgrade', (request, socket) => {
    const key = String(request.headers['sec-websocket-key'])
    const accept = createHash('sha1')
      .update(key + GUID)
      .digest('base64')
    socket.on('error', () => {})
    socket.write(
      [
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Accept: ${accept}`,
        '\r\n',
      ].join('\r\n'),
    )
    // One frame: final, text, two bytes long.
    socket.write(Buffer.from([0x81, 2, ...Buffer.from('hi')]))
    // The answer to the client's close, and the end.
    socket.on('data', () => socket.end(Buffer.from([0x88, 0])))
  })
  return server
}
