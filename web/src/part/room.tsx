import { formatBytes } from '../format.ts';
import { link } from '../router.ts';
import { tl } from '../text-ledger.ts';
import { t } from '../text.ts';
import type { StorageView } from '../wire.ts';
import { Facts } from './facts.tsx';

/** Folders of the data folder that hold sealed readings, and the sums over them. */
const HISTORY_FOLDERS: ReadonlySet<string> = new Set(['history', 'rollups']);

/** How much room the history takes beside the journal, and what there is. */
export function Room({ storage: { data, journal } }: { readonly storage: StorageView }) {
	const history = data.folders
		.filter(({ folder }) => HISTORY_FOLDERS.has(folder))
		.reduce((sum, { bytes }) => sum + bytes, 0);
	return (
		<section class="card">
			<h2>{tl('room.title')}</h2>
			<Facts
				entries={[
					{ name: tl('room.floor'), value: formatBytes(journal.free_floor_bytes) },
					{ name: tl('room.history'), value: formatBytes(history) },
					{
						name: tl('room.free'),
						value: t('storage.freeOf', { free: formatBytes(data.free_bytes), total: formatBytes(data.total_bytes) }),
					},
				]}
			/>
			<p>
				<a href={link('storage')}>{tl('room.more')}</a>
			</p>
		</section>
	);
}
