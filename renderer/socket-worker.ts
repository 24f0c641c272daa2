/**
 * The connection to the engine of a browser tab, in a thread of its own: answers are megabytes, and a page that takes them in from the
 * network itself draws no frame meanwhile. From here they are handed on without a copy. See bridge.ts, which is all that talks to it.
 */

/** To this thread: where to connect, or a message to send. */
export type ToSocket = { url: string } | ArrayBuffer;

/** From it: that the connection is there, or was lost, or a message that arrived. After `closed` there may be another `url`. */
export type FromSocket = 'open' | 'closed' | ArrayBuffer;

/** What is used of a worker's global scope, which TypeScript has beside a page's only. */
declare const self: {
  onmessage: ((event: MessageEvent<ToSocket>) => void) | null;
  postMessage(message: FromSocket, transfer?: Transferable[]): void;
};

let socket: WebSocket | null = null;

self.onmessage = ({ data }) => {
  if (data instanceof ArrayBuffer) socket?.send(data);
  else connect(data.url);
};

function connect(url: string): void {
  socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => self.postMessage('open');
  socket.onclose = () => self.postMessage('closed');
  socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => self.postMessage(data, [data]);
}
