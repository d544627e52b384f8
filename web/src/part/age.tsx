import { formatAge } from '../format.ts';
import { useServices } from '../state/services.ts';

/** A ticking "2 s ago"; its exact instant shows on hover. */
export function Age({ atMs }: { readonly atMs: number }) {
	const { clock } = useServices();
	const iso = new Date(atMs).toISOString();
	return (
		<time dateTime={iso} title={iso}>
			{formatAge(clock.now.value - atMs)}
		</time>
	);
}
