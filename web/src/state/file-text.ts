/** A file as base64, for a body in JSON. @throws DOMException when the browser cannot read it */
export function base64Of(file: File): Promise<string> {
	return new Promise((resolve, reject) => {
		const reader = new FileReader();
		// A data address: `data:<type>;base64,<content>`.
		reader.addEventListener('load', () => {
			const { result } = reader;
			resolve(typeof result === 'string' ? result.replace(/^[^,]*,/, '') : '');
		});
		reader.addEventListener('error', () => reject(reader.error ?? new DOMException('unreadable', 'NotReadableError')));
		reader.readAsDataURL(file);
	});
}
