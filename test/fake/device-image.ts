import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import type { TemplatePoint } from '../../config/template/template.ts';
import type { ReadRequest } from '../../gateway/driver/modbus/plan/request-plan.ts';
import { type DeviceServer, startFrameServer } from './device-server.ts';
import { mbap } from './framings.ts';
import { requestOf, type SlaveRequest } from './modbus-slave.ts';

/** Registers (or bits) that lie side by side, as text: `00E6 0000` or `1 0`. */
interface Segment {
	readonly function: number;
	readonly address: number;
	readonly words: string;
}

interface ImageFile {
	readonly segments: readonly Segment[];
	/** What a read of exactly these registers brings in place of the segments. */
	readonly alone?: readonly Segment[];
	/** By key of a point: the value that was made by other means than the decoder of the product. */
	readonly expect: Readonly<Record<string, number | string | boolean | null>>;
}

/** What a device of one model holds, and what it means. */
export interface DeviceImage {
	readonly expect: ImageFile['expect'];
	/** The registers or bits of a read; `null`: the device refuses it with exception 2. */
	readonly wordsOf: (functionCode: number, address: number, count: number) => readonly number[] | null;
}

const imageFolder = new URL('../../../test/fixture/device-image/', import.meta.url);

/** A segment as numbers. */
const readSegment = ({ function: functionCode, address, words }: Segment) => ({
	functionCode,
	address,
	words: words.split(' ').map((word) => Number.parseInt(word, 16)),
});

/** The image of a device by the key of its template. */
export async function readDeviceImage(key: string): Promise<DeviceImage> {
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- files of this repository
	const file = JSON.parse(await readFile(fileURLToPath(new URL(`${key}.json`, imageFolder)), 'utf8')) as ImageFile;
	const segments = file.segments.map(readSegment);
	const alone = (file.alone ?? []).map(readSegment);
	return {
		expect: file.expect,
		wordsOf(functionCode, address, count) {
			const whole = alone.find(
				(each) => each.functionCode === functionCode && each.address === address && each.words.length === count,
			);
			if (whole !== undefined) return whole.words;
			const home = segments.find(
				(each) =>
					each.functionCode === functionCode &&
					each.address <= address &&
					each.address + each.words.length >= address + count,
			);
			return home?.words.slice(address - home.address, address - home.address + count) ?? null;
		},
	};
}

/** A read of one point alone. */
export const soleRequest = (point: TemplatePoint): ReadRequest => ({
	functionCode: point.functionCode,
	address: point.address,
	count: point.count,
	points: [point],
	keys: [point.key],
});

/** The data of an answer as it is on the wire: registers of two bytes, or eight bits a byte. */
export function dataOf(functionCode: number, words: readonly number[]): Buffer {
	if (functionCode > 2) {
		const data = Buffer.alloc(2 * words.length);
		words.forEach((word, index) => data.writeUInt16BE(word, 2 * index));
		return data;
	}
	const data = Buffer.alloc(Math.ceil(words.length / 8));
	words.forEach((bit, index) => {
		const at = index >> 3;
		data.writeUInt8(data.readUInt8(at) | (bit << (index & 7)), at);
	});
	return data;
}

function answerOf(image: DeviceImage | undefined, { functionCode, address, count }: SlaveRequest): Buffer {
	const words = image?.wordsOf(functionCode, address, count) ?? null;
	if (words === null) return Buffer.from([functionCode | 0x80, 2]);
	const data = dataOf(functionCode, words);
	return Buffer.concat([Buffer.from([functionCode, data.length]), data]);
}

/** A Modbus TCP slave on a port of its own, with a device behind each unit id. */
export const createImageSlave = (images: ReadonlyMap<number, DeviceImage>): Promise<DeviceServer> =>
	startFrameServer(mbap, (socket) => ({ unitId, pdu, tag }) => {
		socket.write(mbap.wrap(unitId, answerOf(images.get(unitId), requestOf(unitId, pdu)), tag));
	});
