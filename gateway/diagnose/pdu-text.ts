import { exceptionText } from '../driver/modbus/wire/modbus-fault.ts';

const EXCEPTION_BIT = 0x80;
const COIL_ON = 0xff00;
/** Bytes of data that are spelled out. */
const SHOWN_BYTES = 32;

const names: Readonly<Record<number, string>> = {
	1: 'read coils',
	2: 'read discrete inputs',
	3: 'read holding registers',
	4: 'read input registers',
	5: 'write coil',
	6: 'write register',
	7: 'read exception status',
	8: 'diagnostics',
	15: 'write coils',
	16: 'write registers',
	17: 'report server id',
	22: 'mask register',
	23: 'write and read registers',
	43: 'read device identification',
};

/** What a PDU says, member by member; `null` where it says nothing of the kind. */
export interface PduFacts {
	readonly functionCode: number;
	readonly address: number | null;
	/** Registers or bits. */
	readonly count: number | null;
	readonly exceptionCode: number | null;
	/** A sentence for a person. */
	readonly text: string;
}

const nameOf = (functionCode: number): string => names[functionCode] ?? `function ${functionCode}`;

function shown(data: Buffer): string {
	const hex = data.subarray(0, SHOWN_BYTES).toString('hex');
	return `${data.length} bytes ${hex}${data.length > SHOWN_BYTES ? '…' : ''}`;
}

const facts = (functionCode: number, text: string, more: Partial<PduFacts> = {}): PduFacts => ({
	functionCode,
	address: null,
	count: null,
	exceptionCode: null,
	text,
	...more,
});

type Describe = (pdu: Buffer) => PduFacts;

/** Function, address, count. */
const ranged: Describe = (pdu) => {
	const functionCode = pdu.readUInt8(0);
	const address = pdu.readUInt16BE(1);
	const count = pdu.readUInt16BE(3);
	return facts(functionCode, `${nameOf(functionCode)} ${address}, count ${count}`, { address, count });
};

const single: Describe = (pdu) => {
	const functionCode = pdu.readUInt8(0);
	const address = pdu.readUInt16BE(1);
	const value = pdu.readUInt16BE(3);
	const told = functionCode === 5 ? (value === COIL_ON ? 'on' : 'off') : String(value);
	return facts(functionCode, `${nameOf(functionCode)} ${address} = ${told}`, { address, count: 1 });
};

const masked: Describe = (pdu) => {
	const address = pdu.readUInt16BE(1);
	const masks = `and ${pdu.subarray(3, 5).toString('hex')}, or ${pdu.subarray(5, 7).toString('hex')}`;
	return facts(22, `${nameOf(22)} ${address}, ${masks}`, { address, count: 1 });
};

const exchanged: Describe = (pdu) => {
	const address = pdu.readUInt16BE(1);
	const count = pdu.readUInt16BE(3);
	const written = `${pdu.readUInt16BE(7)} from ${pdu.readUInt16BE(5)}`;
	return facts(23, `${nameOf(23)}: write ${written}, read ${count} from ${address}`, { address, count });
};

interface Form {
	/** Bytes of the PDU without which it cannot be described. */
	readonly least: number;
	readonly describe: Describe;
}

const requests: Readonly<Record<number, Form>> = {
	1: { least: 5, describe: ranged },
	2: { least: 5, describe: ranged },
	3: { least: 5, describe: ranged },
	4: { least: 5, describe: ranged },
	5: { least: 5, describe: single },
	6: { least: 5, describe: single },
	15: { least: 5, describe: ranged },
	16: { least: 5, describe: ranged },
	22: { least: 7, describe: masked },
	23: { least: 9, describe: exchanged },
};

function described(pdu: Buffer, forms: Readonly<Record<number, Form>>): PduFacts {
	const functionCode = pdu[0] ?? 0;
	const form = forms[functionCode];
	if (form !== undefined && pdu.length >= form.least) return form.describe(pdu);
	return facts(functionCode, `${nameOf(functionCode)}, ${shown(pdu.subarray(1))}`);
}

/** What a request asks. */
export const requestFacts = (pdu: Buffer): PduFacts => described(pdu, requests);

/** Replies that repeat what was asked. */
const echoes: Readonly<Record<number, Form>> = {
	5: { least: 5, describe: single },
	6: { least: 5, describe: single },
	15: { least: 5, describe: ranged },
	16: { least: 5, describe: ranged },
	22: { least: 7, describe: masked },
};

const READS: ReadonlySet<number> = new Set([1, 2, 3, 4, 23]);

/** What a reply says. */
export function replyFacts(pdu: Buffer): PduFacts {
	const first = pdu[0] ?? 0;
	const functionCode = first & ~EXCEPTION_BIT;
	if ((first & EXCEPTION_BIT) !== 0) {
		const exceptionCode = pdu[1] ?? 0;
		return facts(functionCode, `exception ${exceptionCode}: ${exceptionText(exceptionCode)}`, { exceptionCode });
	}
	if (!READS.has(functionCode)) return described(pdu, echoes);
	const data = pdu.subarray(2);
	const count = functionCode <= 2 ? null : Math.floor(data.length / 2);
	return facts(functionCode, `${nameOf(functionCode)}: ${shown(data)}`, { count });
}
