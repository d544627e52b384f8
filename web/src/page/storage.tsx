import { Back } from '../part/back.tsx';
import { type FactEntry, Facts } from '../part/facts.tsx';
import { NONE, formatBytes, formatCount } from '../format.ts';
import { usePoll } from '../state/poll.ts';
import { type TextKey, t } from '../text.ts';
import type { StorageView } from '../wire.ts';

const PERIOD_MS = 10_000;
const MOST_YEARS = 100;

const perDay = (bytes: number | null): string =>
	bytes === null ? t('storage.noPace') : t('storage.perDay', { bytes: formatBytes(bytes) });

function lifeOf(years: number | null): string {
	if (years === null) return t('storage.noPace');
	if (years >= MOST_YEARS) return t('storage.manyYears', { years: MOST_YEARS });
	return t('storage.years', { years: years < 10 ? years.toFixed(1) : formatCount(years) });
}

/** Streams by their names; another one is shown in its own word. */
const STREAMS: Readonly<Record<string, TextKey>> = {
	journal: 'storage.stream.journal',
	history: 'storage.stream.history',
	audit: 'storage.stream.audit',
	documents: 'storage.stream.documents',
	other: 'storage.stream.other',
};

function streamName(stream: string): string {
	const key = STREAMS[stream];
	return key === undefined ? stream : t(key);
}

/** What the box stores, what that wears, and what a power cut would cost. */
export function StoragePage() {
	const { data, error } = usePoll<StorageView>('/api/v1/system/storage', PERIOD_MS);
	const storage = data.value;
	return (
		<>
			<Back to="settings" />
			<div class="title-row">
				<h1>{t('storage.title')}</h1>
			</div>
			{error.value !== null && (
				<p class="mistake" role="alert">
					{error.value}
				</p>
			)}
			{storage === null ? <p class="quiet">{t('app.loading')}</p> : <StorageCards storage={storage} />}
		</>
	);
}

function StorageCards({ storage }: { readonly storage: StorageView }) {
	const { data, journal, power_cut: cut, written, card } = storage;
	const streams = written.streams.map(({ stream, bytes_per_day: bytes }): FactEntry => ({
		name: streamName(stream),
		value: perDay(bytes),
	}));
	return (
		<div class="cards">
			{journal.write_error !== null && (
				<p class="mistake" role="alert">
					{t('sync.writeError', { reason: journal.write_error })}
				</p>
			)}
			<section class="card">
				<h2>{t('storage.space')}</h2>
				<Facts
					entries={[
						{ name: t('storage.used'), value: formatBytes(data.used_bytes) },
						{
							name: t('storage.free'),
							value: t('storage.freeOf', {
								free: formatBytes(data.free_bytes),
								total: formatBytes(data.total_bytes),
							}),
						},
						{ name: t('storage.floor'), value: formatBytes(journal.free_floor_bytes) },
						{
							name: t('sync.journal'),
							value: t('sync.journalUse', { used: formatBytes(journal.bytes), max: formatBytes(journal.quota_bytes) }),
						},
						{ name: t('storage.losses'), value: formatCount(journal.losses) },
					]}
				/>
			</section>
			<section class="card">
				<h2>{t('storage.wear')}</h2>
				<Facts
					entries={[
						{ name: t('storage.life'), value: lifeOf(card.projected_life_years) },
						{
							name: t('storage.card'),
							value:
								card.capacity_bytes === 0
									? NONE
									: t('storage.cardOf', {
											capacity: formatBytes(card.capacity_bytes),
											cycles: formatCount(card.endurance_cycles),
										}),
						},
						{ name: t('storage.written'), value: perDay(written.bytes_per_day) },
						...streams,
					]}
				/>
			</section>
			<section class="card">
				<h2>{t('storage.powerCut')}</h2>
				<Facts
					entries={[
						{
							name: t('storage.atMost'),
							value: t('storage.lost', { seconds: cut.lost_ms / 1_000, bytes: formatBytes(cut.lost_bytes) }),
						},
						{ name: t('storage.now'), value: formatCount(cut.waiting_samples) },
					]}
				/>
			</section>
		</div>
	);
}
