import type { Socket } from 'node:net';

/**
 * Ends a connection with a reset, as a cut wire does. One whose end is just being told to the other side is destroyed without: libuv
 * refuses the reset then, and Node 20 takes the handle for closed all the same. It would stay, and keep the process from ever exiting.
 */
export function resetSocket(socket: Socket): void {
	if (socket.writableEnded && !socket.writableFinished) socket.destroy();
	else socket.resetAndDestroy();
}
