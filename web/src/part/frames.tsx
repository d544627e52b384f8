import { formatBytes, formatCount, formatTime } from '../format.ts';
import { useForm } from '../state/form.ts';
import { usePoll } from '../state/poll.ts';
import type { Body } from '../state/read-field.ts';
import { useServices } from '../state/services.ts';
import { tf } from '../text-field.ts';
import type { FrameView, FramesView, RecordingView } from '../wire-field.ts';
import { Answer } from './answer.tsx';
import { FormProblem } from './field.tsx';
import { saveFile } from './save-file.ts';

const PERIOD_MS = 2_000;
const SHOWN = 200;
const MINUTES = [1, 5, 15] as const;
/** Longest wait for a fault: a week. */
const WATCH_S = 604_800;

/** What passes on a line, for as long as somebody wants to see it. */
export function Frames({ line }: { readonly line: string }) {
	const { api } = useServices();
	const form = useForm([]);
	const path = `/api/v1/lines/${encodeURIComponent(line)}`;
	const polled = usePoll<FramesView>(`${path}/frames?limit=${SHOWN}`, PERIOD_MS);
	const recording = polled.data.value?.recording ?? null;

	const act = (task: () => Promise<unknown>) =>
		form.send(async () => {
			await task();
			polled.reload();
		});
	const record = (body: Body) => void act(() => api.post(`${path}/frames`, body));

	return (
		<section class="card">
			<h2>{tf('frames.title')}</h2>
			<p class="quiet">{tf('frames.lead')}</p>
			<FormProblem form={form} />
			<div class="row-actions">
				{recording?.is_running === true ? (
					<button type="button" class="primary" disabled={form.busy.value} onClick={() => record({ seconds: 0 })}>
						{tf('frames.stop')}
					</button>
				) : (
					<>
						{MINUTES.map((n) => (
							<button type="button" key={n} disabled={form.busy.value} onClick={() => record({ seconds: n * 60 })}>
								{tf('frames.record', { n })}
							</button>
						))}
						<button
							type="button"
							disabled={form.busy.value}
							onClick={() => record({ seconds: WATCH_S, until_fault: true })}
						>
							{tf('frames.untilFault')}
						</button>
					</>
				)}
				{recording !== null && (
					<>
						<button
							type="button"
							disabled={form.busy.value}
							onClick={() =>
								void act(async () => saveFile(await api.file(`${path}/capture`), `${fileName(line)}.capture.jsonl`))
							}
						>
							{tf('frames.download')}
						</button>
						<button
							type="button"
							disabled={form.busy.value}
							onClick={() => void act(() => api.remove(`${path}/frames`))}
						>
							{tf('frames.forget')}
						</button>
					</>
				)}
			</div>
			<Answer of={polled}>{(answer) => <FrameList {...answer} />}</Answer>
		</section>
	);
}

const fileName = (line: string): string => line.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^-|-$/g, '');

function stateOf({
	is_running: isRunning,
	until_fault: isWatch,
	until,
	started_at: start,
	bytes,
}: RecordingView): string {
	const size = formatBytes(bytes);
	return isRunning
		? tf(isWatch ? 'frames.waiting' : 'frames.running', { time: formatTime(until), bytes: size })
		: tf(isWatch ? 'frames.noFault' : 'frames.ended', { time: formatTime(start), bytes: size });
}

/** How far a recording is, or which fault it caught. */
function RecordingState({ recording }: { readonly recording: RecordingView }) {
	const { fault, is_running: isRunning, bytes } = recording;
	if (fault === null) return <p role="status">{stateOf(recording)}</p>;
	return (
		<p role="status">
			<strong>{tf('frames.caught', { time: formatTime(fault.at), reason: fault.reason })}</strong>{' '}
			{isRunning ? tf('frames.caughtRunning') : tf('frames.caughtKept', { bytes: formatBytes(bytes) })}
		</p>
	);
}

function FrameList({ recording, frames }: FramesView) {
	if (recording === null) return null;
	return (
		<>
			<RecordingState recording={recording} />
			{recording.dropped > 0 && <p class="quiet">{tf('frames.dropped', { n: formatCount(recording.dropped) })}</p>}
			{frames.length === 0 && <p class="quiet">{tf('frames.none')}</p>}
			{frames.length >= SHOWN && <p class="quiet">{tf('frames.newest', { n: SHOWN })}</p>}
			<ol class="frames">
				{frames.toReversed().map((frame) => (
					<Frame key={`${frame.direction}${frame.since_start_us}`} frame={frame} />
				))}
			</ol>
		</>
	);
}

/** Time of day with milliseconds. */
function clockOf(iso: string): string {
	const at = new Date(iso);
	const parts = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0'));
	return `${parts.join(':')}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

const gapText = (us: number): string =>
	us < 1_000_000 ? `${(us / 1_000).toFixed(1)} ms` : `${(us / 1e6).toFixed(1)} s`;

const bytesOf = (hex: string): string => hex.toUpperCase().replaceAll(/..(?=.)/g, '$& ');

function Frame({ frame }: { readonly frame: FrameView }) {
	const isBad = frame.check === 'bad';
	return (
		<li class={`frame ${frame.direction}`}>
			<p class="frame-head">
				<strong>
					<span aria-hidden="true">{frame.direction === 'sent' ? '→' : '←'}</span> {tf(`frames.${frame.direction}`)}
				</strong>
				{frame.unit_id !== null && <span>{tf('line.unit', { n: frame.unit_id })}</span>}
				<span class="quiet">{clockOf(frame.at)}</span>
				{frame.gap_us !== null && <span class="quiet">{tf('frames.gap', { gap: gapText(frame.gap_us) })}</span>}
				{isBad && <span class="warn-text">{tf('frames.bad')}</span>}
			</p>
			<p>{frame.text}</p>
			<code>{bytesOf(frame.hex)}</code>
		</li>
	);
}
