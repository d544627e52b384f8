import Joi from 'joi';

import { SettingsFault } from '../../config/settings-fault.ts';
import { type EpochMs, epochMs, toIso } from '../../core/kernel/clock.ts';
import type { LineFrame } from '../driver/frame-ring.ts';

/** How frames are wrapped on a line; `raw`: its bytes are not Modbus. */
export type CaptureFraming = 'tcp' | 'rtu' | 'ascii' | 'raw';

/** What was recorded on a line: the gateway's bytes and those of the devices, with their times. */
export interface Capture {
	/** e.g. `rtu /dev/ttyUSB0 9600 8N1` */
	readonly line: string;
	readonly framing: CaptureFraming;
	readonly startedAt: EpochMs;
	/** Older frames that had made room. */
	readonly dropped: number;
	/** Oldest first. */
	readonly frames: readonly LineFrame[];
}

const FORMAT = 'drawbridge-capture';
const VERSION = 1;
const MOST_BYTES = 16 * 1024 * 1024;
const MOST_FRAMES = 200_000;

const framings: Readonly<Record<string, CaptureFraming>> = {
	tcp: 'tcp',
	rtu: 'rtu',
	'rtu-over-tcp': 'rtu',
	ascii: 'ascii',
	'ascii-over-tcp': 'ascii',
};

/** The framing of a line by its name, which begins with its transport. */
export const framingOfLine = (line: string): CaptureFraming => framings[line.split(' ')[0] ?? ''] ?? 'raw';

/** One JSON object a line: the head first, then each frame. */
export function captureText({ line, framing, startedAt, dropped, frames }: Capture): string {
	const head = { format: FORMAT, version: VERSION, line, framing, started_at: toIso(startedAt), dropped };
	const rows = frames.map(({ direction, sinceStartUs, bytes }) =>
		JSON.stringify({ us: sinceStartUs, dir: direction, hex: bytes.toString('hex') }),
	);
	return `${[JSON.stringify(head), ...rows].join('\n')}\n`;
}

interface WireHead {
	readonly format: string;
	readonly version: number;
	readonly line: string;
	readonly framing: CaptureFraming;
	readonly started_at: string;
	readonly dropped: number;
}

interface WireFrame {
	readonly us: number;
	readonly dir: LineFrame['direction'];
	readonly hex: string;
}

const headSchema = Joi.object<WireHead>({
	format: Joi.valid(FORMAT).required(),
	version: Joi.valid(VERSION).required(),
	line: Joi.string().max(300).required(),
	framing: Joi.valid('tcp', 'rtu', 'ascii', 'raw').required(),
	started_at: Joi.string().isoDate().required(),
	dropped: Joi.number().integer().min(0).default(0),
}).unknown();

const frameSchema = Joi.object<WireFrame>({
	us: Joi.number().integer().min(0).required(),
	dir: Joi.valid('sent', 'received').required(),
	hex: Joi.string().hex({ byteAligned: true }).min(2).max(131_072).required(),
}).unknown();

function parsedLine<T>(schema: Joi.ObjectSchema<T>, text: string, number: number): T {
	let raw: unknown;
	try {
		raw = JSON.parse(text);
	} catch {
		throw new SettingsFault([{ path: `line ${number}`, message: 'must be one JSON object' }]);
	}
	const { value, error } = schema.validate(raw, { convert: false });
	if (error !== undefined) throw new SettingsFault([{ path: `line ${number}`, message: error.message }]);
	return value;
}

/**
 * Reads a capture file: at most 16 MiB and 200 000 frames.
 * @throws SettingsFault with the number of the line that is wrong
 */
export function parseCapture(text: string): Capture {
	if (text.length > MOST_BYTES)
		throw new SettingsFault([{ path: 'capture', message: `has at most ${MOST_BYTES} bytes; found ${text.length}` }]);
	const [first = '', ...rest] = text.split('\n');
	const head = parsedLine(headSchema, first, 1);
	const frames: LineFrame[] = [];
	for (const [index, row] of rest.entries()) {
		if (row.trim() === '') continue;
		const { us, dir, hex } = parsedLine(frameSchema, row, index + 2);
		if (us < (frames.at(-1)?.sinceStartUs ?? 0))
			throw new SettingsFault([
				{ path: `line ${index + 2}`, message: `us: must not lie before the line above; found ${us}` },
			]);
		frames.push({ direction: dir, sinceStartUs: us, bytes: Buffer.from(hex, 'hex') });
		if (frames.length > MOST_FRAMES)
			throw new SettingsFault([{ path: `line ${index + 2}`, message: `a capture has at most ${MOST_FRAMES} frames` }]);
	}
	const { line, framing, dropped, started_at: startedAt } = head;
	return { line, framing, startedAt: epochMs(Date.parse(startedAt)), dropped, frames };
}
