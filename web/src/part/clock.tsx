import { formatCount, formatTime } from '../format.ts';
import { formatDuration } from '../duration.ts';
import { type LedgerTextKey, tl } from '../text-ledger.ts';
import type { ClockQuality, EraView, GatewayClockView, TimeView } from '../wire-completeness.ts';
import { Age } from './age.tsx';
import type { Column } from './columns.tsx';
import { type FactEntry, Facts } from './facts.tsx';
import type { IconName } from './icon.tsx';
import { MoreColumns } from './more.tsx';
import { Problem } from './list.tsx';
import { Status, type Tone } from './status.tsx';

interface ClockLook {
	readonly tone: Tone;
	readonly icon: IconName;
	readonly text: LedgerTextKey;
	readonly means: LedgerTextKey;
}

const KNOWN: ClockLook = { tone: 'ok', icon: 'ok', text: 'clock.known', means: 'clock.means.known' };
const GUESS: ClockLook = { tone: 'warn', icon: 'degraded', text: 'clock.guess', means: 'clock.means.guess' };
const WAITS: ClockLook = { tone: 'bad', icon: 'wait', text: 'clock.waits', means: 'clock.means.waits' };
const UNCONFIRMED: ClockLook = {
	tone: 'warn',
	icon: 'unknown',
	text: 'clock.unconfirmed',
	means: 'clock.means.unconfirmed',
};
const SILENT: ClockLook = { tone: 'idle', icon: 'unknown', text: 'clock.silent', means: 'clock.means.silent' };

/** By who says the time, where it is known. */
const LOOKS: Readonly<Record<ClockQuality, ClockLook>> = {
	unset: GUESS,
	rtc: UNCONFIRMED,
	ntp: KNOWN,
	hub: KNOWN,
};

/** Clocks that are nearer to each other than this show the same, ms. */
const SAME_MS = 50;

/** "1.2 s ahead". */
function offset(ms: number): string {
	if (Math.abs(ms) < SAME_MS) return tl('clock.equal');
	return tl(ms > 0 ? 'clock.fast' : 'clock.slow', { n: formatDuration(Math.abs(ms)) });
}

function movedBy({ delta_ms: delta, is_estimated: isEstimated }: EraView): string {
	if (delta === null) return tl('clock.waiting');
	const moved = delta === 0 ? tl('clock.notMoved') : `${delta > 0 ? '+' : '−'}${formatDuration(Math.abs(delta))}`;
	return isEstimated ? `${moved}, ${tl('clock.estimated')}` : moved;
}

const ERA_COLUMNS: readonly Column<EraView>[] = [
	{
		title: { words: tl('clock.era') },
		cell: ({ epoch, first_seq: seq, from }) => (
			<>
				{tl('clock.eraAt', { epoch, seq: formatCount(seq) })}
				{from !== undefined && <small>{formatTime(from)}</small>}
			</>
		),
	},
	{ title: { words: tl('clock.quality') }, cell: ({ clock_quality: quality }) => <>{tl(`clock.${quality}`)}</> },
	{ title: { words: tl('clock.moved') }, numeric: true, cell: (era) => <>{movedBy(era)}</> },
];

interface CardProps {
	readonly look: ClockLook;
	readonly facts: readonly FactEntry[];
	readonly reason?: string | null;
	readonly isUntrusted?: boolean;
	/** Newest first. */
	readonly eras: readonly EraView[];
}

function Card({ look, facts, reason = null, isUntrusted = false, eras }: CardProps) {
	return (
		<section class="card">
			<div class="title-row">
				<h2>{tl('clock.title')}</h2>
				<Status tone={look.tone} icon={look.icon}>
					{tl(look.text)}
				</Status>
			</div>
			<Problem>{reason}</Problem>
			<p>{tl(look.means)}</p>
			{isUntrusted && <p>{tl('clock.untrusted')}</p>}
			<Facts entries={facts} />
			{eras.length > 0 && (
				<details>
					<summary>{tl('clock.eras')}</summary>
					<MoreColumns columns={ERA_COLUMNS} rows={eras} rowKey={({ epoch, first_seq: seq }) => `${epoch}/${seq}`} />
				</details>
			)}
		</section>
	);
}

/** The clock of this box, and what its state means for readings. */
export function OwnClock({ time }: { readonly time: TimeView }) {
	const { hub, last_jump: jump } = time;
	const facts: FactEntry[] = [
		{ name: tl('clock.quality'), value: tl(`clock.${time.clock_quality}`) },
		{ name: tl('clock.now'), value: formatTime(time.now) },
		{ name: tl('clock.machine'), value: offset(time.system_clock_offset_ms) },
	];
	if (hub !== null)
		facts.push({
			name: tl('clock.offHub'),
			value: tl('clock.within', { offset: offset(hub.offset_ms), error: formatDuration(hub.error_ms) }),
		});
	facts.push({ name: tl('clock.jumps'), value: formatCount(time.jumps) });
	if (jump !== null)
		facts.push({
			name: tl('clock.lastJump'),
			value: tl('clock.jumpBy', { time: formatTime(jump.at), offset: offset(jump.by_ms) }),
		});
	return (
		<Card
			look={time.is_known ? LOOKS[time.clock_quality] : WAITS}
			facts={facts}
			reason={time.reason}
			isUntrusted={!time.is_trusted}
			eras={time.eras}
		/>
	);
}

/** A gateway that says the time of nobody either guesses it, or keeps its readings until it is known. */
function lookOf({ clock_quality: quality, eras }: GatewayClockView): ClockLook {
	if (quality === null) return SILENT;
	return quality === 'unset' && eras.at(-1)?.delta_ms === null ? WAITS : LOOKS[quality];
}

/** The clock of a gateway, as its hub sees it. */
export function GatewayClock({ clock }: { readonly clock: GatewayClockView }) {
	const { clock_quality: quality, offset_ms: offsetMs, said_at: saidAt } = clock;
	const facts: FactEntry[] = [];
	if (quality !== null) facts.push({ name: tl('clock.quality'), value: tl(`clock.${quality}`) });
	if (offsetMs !== null) facts.push({ name: tl('clock.off'), value: offset(offsetMs) });
	if (saidAt !== null) facts.push({ name: tl('clock.saidAt'), value: <Age atMs={Date.parse(saidAt)} /> });
	return <Card look={lookOf(clock)} facts={facts} eras={clock.eras.toReversed()} />;
}
