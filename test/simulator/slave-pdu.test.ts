import test from 'ava';

import { ILLEGAL_DATA_ADDRESS, type RegisterImage } from '../../gateway/simulator/register-image.ts';
import { answerPdu } from '../../gateway/simulator/slave-pdu.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

const isInside = (address: number, count: number): boolean => address + count <= 16;

/** 16 registers and 16 coils that can be written and read back. */
function bank(): RegisterImage {
	const words = new Uint16Array(16);
	const bits = Array<boolean>(16).fill(false);
	return {
		identity: { vendor: 'Maker', productCode: 'M-1', revision: '2.3', productName: 'Meter' },
		read: (_code, address, count) =>
			isInside(address, count) ? words.slice(address, address + count) : ILLEGAL_DATA_ADDRESS,
		write(address, written) {
			if (!isInside(address, written.length)) return ILLEGAL_DATA_ADDRESS;
			words.set(written, address);
			return null;
		},
		readBits: (_code, address, count) =>
			isInside(address, count) ? bits.slice(address, address + count) : ILLEGAL_DATA_ADDRESS,
		writeBits(address, written) {
			if (!isInside(address, written.length)) return ILLEGAL_DATA_ADDRESS;
			for (const [offset, bit] of written.entries()) bits[address + offset] = bit;
			return null;
		},
	};
}

/** Requests to one device in their order. */
const conversations = [
	{
		title: 'one coil',
		steps: [
			['05 0003 ff00', '05 0003 ff00'],
			['01 0000 0009', '01 02 0800'],
		],
	},
	{
		title: 'coils',
		steps: [
			['0f 0002 000a 02 cd01', '0f 0002 000a'],
			['01 0002 000a', '01 02 cd01'],
		],
	},
	{ title: 'a coil neither on nor off', steps: [['05 0003 0001', '85 03']] },
	{ title: 'coils with a wrong byte count', steps: [['0f 0000 000a 01 cd', '8f 03']] },
	{
		title: 'one register',
		steps: [
			['06 0004 1234', '06 0004 1234'],
			['03 0004 0001', '03 02 1234'],
		],
	},
	{
		title: 'registers',
		steps: [
			['10 0001 0002 04 000a 0102', '10 0001 0002'],
			['04 0001 0002', '04 04 000a 0102'],
		],
	},
	{
		title: 'a masked register: the example of the specification',
		steps: [
			['06 0004 0012', '06 0004 0012'],
			['16 0004 00f2 0025', '16 0004 00f2 0025'],
			['03 0004 0001', '03 02 0017'],
		],
	},
	{
		title: 'a write and a read in one, the write first',
		steps: [['17 0003 0002 0004 0001 02 00ff', '17 04 0000 00ff']],
	},
	{ title: 'a write and a read of which the write is refused', steps: [['17 0003 0002 0010 0001 02 00ff', '97 02']] },
	{ title: 'the server id', steps: [['11', '11 0c 4d616b6572204d65746572 ff']] },
	{
		title: 'the basic identification',
		steps: [['2b 0e 01 00', '2b 0e 01 82 00 00 03 00 05 4d616b6572 01 03 4d2d31 02 03 322e33']],
	},
	{ title: 'one object of the identification', steps: [['2b 0e 04 01', '2b 0e 04 82 00 00 01 01 03 4d2d31']] },
	{ title: 'an object that is not there', steps: [['2b 0e 04 70', 'ab 02']] },
	{ title: 'an identification that does not exist', steps: [['2b 0e 05 00', 'ab 03']] },
	{ title: 'another encapsulated interface', steps: [['2b 0d 00 00', 'ab 01']] },
	{ title: '2001 coils', steps: [['01 0000 07d1', '81 03']] },
	{ title: '126 registers', steps: [['03 0000 007e', '83 03']] },
	{ title: 'a function nobody knows', steps: [['5a 00', 'da 01']] },
	{ title: 'a request without its end', steps: [['10 00', '90 03']] },
] as const;

for (const { title, steps } of conversations) {
	test(`a simulated device answers as the specification says: ${title}`, (t) => {
		const image = bank();
		for (const [request, reply] of steps) {
			t.is(answerPdu(image, hex(request), 0).toString('hex'), hex(reply).toString('hex'), request);
		}
	});
}
