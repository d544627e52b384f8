import { type ReadonlySignal, signal } from '@preact/signals';

/** Where the person is: `#/devices/{id}` is `{page: 'devices', id}`. The server never sees it, so it needs no rewriting. */
export interface Place {
	readonly page: string;
	readonly id: string | null;
}

function read(): Place {
	const [page = '', id = ''] = location.hash.replace(/^#\/?/, '').split('/');
	return { page, id: id === '' ? null : decodeURIComponent(id) };
}

export const link = (page: string, id?: string): string =>
	id === undefined ? `#/${page}` : `#/${page}/${encodeURIComponent(id)}`;

export function go(page: string, id?: string): void {
	location.hash = link(page, id);
}

export function createRouter(): ReadonlySignal<Place> {
	const place = signal(read());
	addEventListener('hashchange', () => {
		place.value = read();
		scrollTo(0, 0);
	});
	return place;
}
