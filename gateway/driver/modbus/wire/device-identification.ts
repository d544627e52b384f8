/** One object of a device identification, e.g. 0 the vendor, 1 the product code, 2 the revision (1.1b3, 6.21). */
export interface IdentificationObject {
	readonly id: number;
	/** Mostly ASCII. */
	readonly value: Buffer;
}

export interface DeviceIdentification {
	/** What the device can say: 1 basic, 2 regular, 3 extended; with bit 7 also one object at a time. */
	readonly conformityLevel: number;
	/** The object to ask for next, when not all fitted into this answer. */
	readonly nextObjectId: number | null;
	readonly objects: readonly IdentificationObject[];
}

/** Function, MEI type, read code, conformity level, more follows, next object, number of objects. */
const HEAD_BYTES = 7;
/** Identifier and length of an object. */
const OBJECT_HEAD_BYTES = 2;
const MOST_BYTES = 253;
const MORE_FOLLOWS = 0xff;

/**
 * Length of the answer to function 43/14 whose function code stands at `start`: -1 while the bytes do not tell it, 0 when it
 * would be longer than an answer can be.
 */
export function identificationLength(bytes: Uint8Array, start: number, end: number): number {
	if (end - start < HEAD_BYTES) return -1;
	let length = HEAD_BYTES;
	for (let left = bytes[start + HEAD_BYTES - 1] ?? 0; left > 0; left -= 1) {
		if (start + length + OBJECT_HEAD_BYTES > end) return -1;
		length += OBJECT_HEAD_BYTES + (bytes[start + length + 1] ?? 0);
		if (length > MOST_BYTES) return 0;
	}
	return length;
}

/** What the answer to function 43/14 says. @param data of a `ModbusAnswer`, whose lengths were checked */
export function decodeIdentification(data: Buffer): DeviceIdentification {
	const [conformityLevel = 0, moreFollows = 0, nextObjectId = 0, count = 0] = data;
	const objects: IdentificationObject[] = [];
	let at = 4;
	while (objects.length < count && at + OBJECT_HEAD_BYTES <= data.length) {
		const end = at + OBJECT_HEAD_BYTES + data.readUInt8(at + 1);
		objects.push({ id: data.readUInt8(at), value: data.subarray(at + OBJECT_HEAD_BYTES, end) });
		at = end;
	}
	return { conformityLevel, nextObjectId: moreFollows === MORE_FOLLOWS ? nextObjectId : null, objects };
}
