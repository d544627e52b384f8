import { RTU_PATH } from './mock-lines.ts';

/** Questions to a scan until it is done. */
const ROUNDS = 4;

export const SCAN_ID = '5ca90000-0000-4000-8000-000000000001';

const FOUND = [
	{
		unit_id: 1,
		line: { transport: 'rtu', path: RTU_PATH, baud_rate: 19_200, parity: 'even', data_bits: 8, stop_bits: 1 },
		line_name: `rtu ${RTU_PATH} 19200-8E1`,
		latency_ms: 38.4,
		identification: { objects: [], server_id: null, sunspec: null },
		candidates: [
			{
				template: 'eastron-sdm630',
				confidence: 0.9,
				why: ['frequency 49.98 is within 45 to 65', 'voltage_l1 231.2 is within 180 to 280'],
			},
			{ template: 'acme-copycat', confidence: 0.4, why: ['cannot be told apart from eastron-sdm630'] },
		],
		hints: [],
	},
	{
		unit_id: 7,
		line: { transport: 'rtu', path: RTU_PATH, baud_rate: 19_200, parity: 'even', data_bits: 8, stop_bits: 1 },
		line_name: `rtu ${RTU_PATH} 19200-8E1`,
		latency_ms: null,
		identification: {
			objects: [
				{ name: 'vendor_name', text: 'Schneider Electric' },
				{ name: 'product_code', text: 'METSEPM5110' },
			],
			server_id: { hex: '01ff', text: 'PM5110', running: true },
			sunspec: { base: 40_000, manufacturer: 'Schneider', model: 'PM5110', serial_number: '77', models: [1, 203] },
		},
		candidates: [],
		hints: [
			{
				code: 'clash',
				severity: 'warning',
				sentence: 'Two devices seem to have the id 7: its answers overlap. Give one of them another id.',
			},
		],
	},
];

/** What the unit of a sweep is asked, and what it answers: 230.1 as float, a counter, and nothing but zeros behind them. */
const ASKED = {
	line: { transport: 'tcp', host: '192.168.10.21', port: 502 },
	line_name: 'tcp 192.168.10.21:502',
	unit_id: 1,
	function: 4,
	from: 0,
	to: 999,
};
const REGISTERS = {
	answered: [
		{ first: 0, last: 5, data: '4366199a0001e240fff64142' },
		{ first: 100, last: 159, data: '0000'.repeat(60) },
	],
	silent: [{ first: 400, last: 403 }],
	most_per_read: 80,
	most_per_read_known: true,
	pairs_only: false,
	reads: 61,
};

/** A scan that finds one unit after another each time somebody looks; of registers, it tells what answers at its end. */
export function createMockScan() {
	let looks = -1;
	let isCancelled = false;
	let isSweep = false;
	const isDone = (): boolean => looks >= ROUNDS;
	const isEnded = (): boolean => isCancelled || isDone();
	const foundCount = (): number => (isSweep ? 0 : Math.max(0, Math.min(FOUND.length, looks)));
	const summary = () => ({
		id: SCAN_ID,
		kind: isSweep ? 'registers' : 'serial',
		subject: isSweep ? 'tcp 192.168.10.21:502, unit 1: function 4, 0 to 999' : `${RTU_PATH}: 14 settings, 247 units`,
		state: isCancelled ? 'cancelled' : isDone() ? 'done' : 'running',
		reason: isCancelled ? 'cancelled by admin@example.org' : null,
		started_by: 'admin@example.org',
		started_at: new Date(Date.now() - 61_000).toISOString(),
		ended_at: null,
		done: Math.min(looks, ROUNDS) * 864,
		total: ROUNDS * 864,
		eta_seconds: isDone() ? null : 340,
		doing: `${RTU_PATH} 19200 8E1, unit ${looks * 10}`,
		found_count: foundCount(),
		hint_count: 0,
	});
	return {
		list: () => (looks < 0 ? [] : [summary()]),
		summary,
		view: () => ({
			...summary(),
			asked: isSweep ? ASKED : null,
			found: FOUND.slice(0, foundCount()),
			registers: isSweep && isEnded() ? REGISTERS : null,
			hints: [],
		}),
		isRunning: () => looks >= 0 && !isEnded(),
		start(kind: unknown) {
			looks = 0;
			isCancelled = false;
			isSweep = kind === 'registers';
		},
		look() {
			if (!isCancelled) looks += 1;
		},
		cancel() {
			isCancelled = true;
		},
	};
}

/** Registers 230.1 as float, and what they could mean. */
export const triedOf = () => ({
	line: 'tcp 192.168.10.21:502',
	places: [{ notation: 'zero-based', address: 0, reference: '40001' }],
	reads: [
		{
			address: 0,
			count: 2,
			words: [
				{ address: 0, hex: '4366', decimal: 17_254 },
				{ address: 1, hex: '199A', decimal: 6_554 },
			],
			latency_ms: 2.4,
			exception_code: null,
			exception: null,
			error: null,
		},
	],
	decodings: [
		['float32', 'ABCD', 230.1, 0.9, '230.1 looks like a phase voltage in V'],
		['uint16', 'AB', 17_254, 0.3, null],
		['int16', 'AB', 17_254, 0.3, null],
		['uint32', 'ABCD', 1_130_764_698, 0.1, null],
		['string', 'AB', 'Cf', 0.05, null],
	].map(([type, order, value, plausibility, hint], index) => ({
		notation: index === 2 ? 'one-based' : 'zero-based',
		address: index === 2 ? 0 : 1,
		reference: index === 2 ? '40001' : '40002',
		count: 2,
		type,
		byte_order: order,
		value,
		scale: 1,
		plausibility,
		hint,
		matches: null,
	})),
});

export const refusedTry = () => ({
	...triedOf(),
	reads: [
		{
			address: 9_999,
			count: 2,
			words: [],
			latency_ms: 2.2,
			exception_code: 2,
			exception: 'illegal data address: the device has no such register, or not so many from there on',
			error: null,
		},
	],
	decodings: [],
});

export type MockScan = ReturnType<typeof createMockScan>;
