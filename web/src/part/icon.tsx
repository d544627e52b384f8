/** Shapes differ as well as colours, so that a status reads without colour vision. Drawn in a box of 16. */
const SHAPES = {
	ok: 'M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm3.4 4.4L7 9.8 4.6 7.4 3.4 8.6 7 12.2l5.6-5.6Z',
	degraded: 'M8 1.2 15.4 14.6H.6ZM7.2 6v4.4h1.6V6Zm0 5.4V13h1.6v-1.6Z',
	offline: 'M1.5 1.5h13v13h-13ZM5 3.9 3.9 5l3 3-3 3L5 12.1l3-3 3 3 1.1-1.1-3-3 3-3L11 3.9l-3 3Z',
	unknown: 'M8 .8 15.2 8 8 15.2.8 8Zm0 2.6L3.4 8 8 12.6 12.6 8Z',
	wait: 'M8 1a7 7 0 1 0 7 7h-2a5 5 0 1 1-5-5Z',
	plus: 'M7 2h2v5h5v2H9v5H7V9H2V7h5Z',
	back: 'M10.6 2 12 3.4 7.4 8l4.6 4.6-1.4 1.4L4.6 8Z',
	exit: 'M2 2h7v2H4v8h5v2H2Zm8.2 2.4L13.8 8l-3.6 3.6-1.4-1.4L10 9H6V7h4L8.8 5.8Z',
	close: 'M3.4 2 8 6.6 12.6 2 14 3.4 9.4 8l4.6 4.6-1.4 1.4L8 9.4 3.4 14 2 12.6 6.6 8 2 3.4Z',
	key: 'M11 1a4 4 0 1 1-2.6 7L6.9 9.5l1.3 1.3-1.2 1.2-1.3-1.3-.7.7 1.3 1.3-1.2 1.2L1.9 10.7l5.3-5A4 4 0 0 1 11 1Zm0 2a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z',
} as const;

export type IconName = keyof typeof SHAPES;

/** Decoration beside a text that says the same. */
export function Icon({ name }: { readonly name: IconName }) {
	return (
		<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
			<path fill-rule="evenodd" d={SHAPES[name]} />
		</svg>
	);
}
