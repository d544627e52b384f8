/**
 * Loaded into every process of `startChild` ahead of its program: when the process that started it is gone, even by SIGKILL,
 * it ends too, politely at first.
 */
const GRACE_MS = 2_500;

process.once('disconnect', () => {
	setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE_MS).unref();
	process.kill(process.pid, 'SIGTERM');
});
process.channel?.unref();
