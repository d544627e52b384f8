import { formatBytes } from '../format.ts';
import { link } from '../router.ts';
import { tf } from '../text-field.ts';
import type { LineDetailView, StreamView } from '../wire-field.ts';
import { type FactEntry, Facts, countFact } from './facts.tsx';
import { latencyText } from './latency.tsx';

interface StreamCardProps {
	readonly line: LineDetailView;
	readonly stream: StreamView;
}

/** Who has a line for itself, and what it says there: a serial device that is not Modbus. */
export function StreamCard({ line, stream }: StreamCardProps) {
	const { device } = stream;
	return (
		<section class="card" data-stream>
			<h2>{tf('stream.title')}</h2>
			{device !== null && (
				<p>
					<a href={link('devices', device.device_uid)}>{device.name}</a>
				</p>
			)}
			<p class="quiet">{tf(stream.is_asked ? 'stream.asked' : 'stream.speaks')}</p>
			<Facts entries={[...(stream.is_asked ? askedOf(line) : []), ...heardOf(line, stream)]} />
		</section>
	);
}

const askedOf = (line: LineDetailView): readonly FactEntry[] => [
	countFact(tf('line.requests'), line.requests),
	countFact(tf('line.answers'), line.answers),
	countFact(tf('line.timeouts'), line.timeouts),
	{ name: tf('lines.latency'), value: latencyText(line) },
	countFact(tf('line.stray'), line.stray_frames),
];

const heardOf = (line: LineDetailView, stream: StreamView): readonly FactEntry[] => [
	countFact(tf('stream.frames'), stream.frames),
	countFact(tf('stream.checksumErrors'), stream.checksum_errors),
	countFact(tf('stream.framingErrors'), stream.framing_errors),
	countFact(tf('line.noise'), line.noise_bytes),
	countFact(tf('stream.foreign'), line.foreign_frames),
	{ name: tf('stream.received'), value: formatBytes(stream.received_bytes) },
	{ name: tf('stream.sent'), value: formatBytes(stream.sent_bytes) },
];
