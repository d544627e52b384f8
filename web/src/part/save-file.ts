/** Hands a file to the browser to be kept. */
export function saveFile(file: Blob, name: string): void {
	const link = document.createElement('a');
	link.href = URL.createObjectURL(file);
	link.download = name;
	link.click();
	// The download has begun with the click; the browser holds the bytes for it.
	setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
