import { link } from '../router.ts';
import { type TextKey, t } from '../text.ts';
import { Icon } from './icon.tsx';

const NAMES = {
	settings: 'settings.title',
	devices: 'device.back',
	gateways: 'gateways.title',
	lines: 'nav.lines',
	templates: 'nav.templates',
} as const satisfies Readonly<Record<string, TextKey>>;

/** The way to the page above. */
export function Back({ to }: { readonly to: keyof typeof NAMES }) {
	return (
		<a class="back" href={link(to)}>
			<Icon name="back" />
			{t(NAMES[to])}
		</a>
	);
}
