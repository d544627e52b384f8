/** A network with a fast meter, and a serial line that has seen better days. */

const RTU = 'rtu /dev/serial/by-id/usb-FTDI_USB-RS485_Cable_FT4PVXYZ-if00-port0 9600-8N1';
/** A P1 meter, which sends by itself. */
const SERIAL = 'serial /dev/ttyAMA0 115200 8N1';
export const RTU_PATH = '/dev/serial/by-id/usb-FTDI_USB-RS485_Cable_FT4PVXYZ-if00-port0';

export const linesOf = () => [
	{
		line: 'tcp 192.168.10.21:502',
		state: 'open',
		reason: null as string | null,
		requests: 128_044,
		answers: 128_031,
		timeouts: 9,
		exceptions: 4,
		crc_errors: 0,
		stray_frames: 0,
		foreign_frames: 0,
		echo_frames: 0,
		noise_bytes: 0,
		quarantines: 0,
		skipped_periods: 0,
		leased_to: null as string | null,
		overrun: null as string | null,
		utilisation: 0.018,
		latency_p50_ms: 2.1,
		latency_p99_ms: 8.4,
	},
	{
		line: RTU,
		state: 'open',
		reason: null,
		requests: 40_211,
		answers: 39_876,
		timeouts: 312,
		exceptions: 12,
		crc_errors: 23,
		stray_frames: 5,
		foreign_frames: 2,
		echo_frames: 0,
		noise_bytes: 181,
		quarantines: 41,
		skipped_periods: 118,
		leased_to: null,
		overrun: `${RTU} needs 1.6 s per 1 s (160 %), 1.1 s of it for Heat pumps: periods will be skipped; periods 1.7 times as long, fewer points or a faster line would do`,
		utilisation: 0.97,
		latency_p50_ms: 61,
		latency_p99_ms: 240,
	},
	{
		line: SERIAL,
		state: 'open',
		reason: null,
		requests: 0,
		answers: 0,
		timeouts: 0,
		exceptions: 0,
		crc_errors: 7,
		stray_frames: 0,
		foreign_frames: 40,
		echo_frames: 0,
		noise_bytes: 96,
		quarantines: 0,
		skipped_periods: 0,
		leased_to: null,
		overrun: null,
		utilisation: 0,
		latency_p50_ms: null,
		latency_p99_ms: null,
	},
];

const STEPS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, null] as const;
/** Those within a time are counted in all longer ones as well. */
const bucketsOf = (counts: readonly number[]) =>
	STEPS_MS.map((upTo, index) => ({
		up_to_ms: upTo,
		count: counts.slice(0, index + 1).reduce((sum, count) => sum + count, 0),
	}));

const unitOf = (unit: number, name: string, counts: readonly number[], reasons: readonly string[]) => ({
	unit_id: unit,
	devices: [{ device_uid: `meter-${unit}`, name }],
	requests: 20_100,
	answers: 19_900,
	timeouts: 156,
	corrupt: 12,
	unproven: 3,
	retries: 40,
	skipped_periods: 59,
	exceptions: [{ code: 2, text: 'illegal data address', count: 12 }],
	utilisation: 0.48,
	latency_p50_ms: 61,
	latency_p99_ms: 240,
	latency: bucketsOf(counts),
	health: { score: reasons.length > 0 ? 54 : 96, verdict: reasons.length > 0 ? 'poor' : 'good', reasons },
});

const POOR = [
	'23 of 39876 answers were damaged: check the termination of the line, and its shield.',
	'312 of 40211 requests got no answer.',
];

const WELL = { score: 98, verdict: 'good', reasons: [] as string[] };

const STREAM = {
	device: { device_uid: 'meter-p1', name: 'Grid meter' },
	is_asked: false,
	frames: 86_402,
	checksum_errors: 7,
	framing_errors: 3,
	received_bytes: 68_400_000,
	sent_bytes: 0,
};

/** One line under the glass; `undefined`: there is none. */
export function lineOf(name: string) {
	const line = linesOf().find((each) => each.line === name);
	if (line === undefined) return undefined;
	if (line.line === SERIAL) return { ...line, health: WELL, units: [], stream: STREAM };
	const isSerial = line.line === RTU;
	return {
		...line,
		stream: null,
		health: isSerial ? { score: 54, verdict: 'poor', reasons: POOR } : WELL,
		units: isSerial
			? [
					unitOf(2, 'Heat pumps', [0, 0, 0, 0, 12, 4_000, 9_000, 4_200, 900, 20, 0], POOR),
					unitOf(3, 'Press line 2 with a rather long name', [0, 0, 0, 2, 700, 9_000, 6_000, 900, 30, 0, 0], []),
				]
			: [unitOf(1, 'Main feed', [900, 80_000, 40_000, 6_000, 900, 40, 3, 0, 0, 0, 0], [])],
	};
}

export const budgetsOf = () => [
	{
		line: 'tcp 192.168.10.21:502',
		need_share: 0.019,
		devices: [{ device_id: null, name: 'Main feed', need_share: 0.019, requests_per_second: 4 }],
		sentence: null,
	},
	{
		line: RTU,
		need_share: 1.6,
		devices: [
			{ device_id: null, name: 'Heat pumps', need_share: 1.1, requests_per_second: 5 },
			{ device_id: null, name: 'Press line 2 with a rather long name', need_share: 0.5, requests_per_second: 2.4 },
		],
		sentence: linesOf()[1]?.overrun ?? null,
	},
];

export const portsOf = () => [
	{
		path: RTU_PATH,
		device: '/dev/ttyUSB0',
		by_id: RTU_PATH,
		by_path: null,
		driver: 'ftdi_sio',
		socket: '1-1.2',
		usb: {
			vendor_id: '0403',
			product_id: '6001',
			serial_number: 'FT4PVXYZ',
			interface_number: '00',
			manufacturer: 'FTDI',
			product: 'USB-RS485 Cable',
		},
		in_use_by: { pid: 812, name: 'node', is_gateway: true },
		known_as: [RTU_PATH],
	},
	{
		path: '/dev/ttyAMA0',
		device: '/dev/ttyAMA0',
		by_id: null,
		by_path: null,
		driver: 'uart-pl011',
		socket: null,
		usb: null,
		in_use_by: null,
		known_as: [],
	},
];

/** Two requests and their answers, one of them damaged. */
export const framesOf = (startedMs: number) =>
	[
		{
			direction: 'sent',
			at: 0,
			gap: null,
			hex: '010300000002c40b',
			check: 'ok',
			text: 'unit 1: read 2 holding registers from 0 on',
		},
		{
			direction: 'received',
			at: 61_200,
			gap: 52_900,
			hex: '01030443669999d5b4',
			check: 'ok',
			text: 'unit 1: 4366 9999',
		},
		{
			direction: 'sent',
			at: 1_000_000,
			gap: 929_400,
			hex: '020300000002c438',
			check: 'ok',
			text: 'unit 2: read 2 holding registers from 0 on',
		},
		{
			direction: 'received',
			at: 1_240_000,
			gap: 231_000,
			hex: '02830230f2',
			check: 'bad',
			text: 'unit 2: exception 2, illegal data address',
		},
	].map(({ at, gap, direction, hex, check, text }) => ({
		direction,
		hex,
		check,
		text,
		at: new Date(startedMs + at / 1_000).toISOString(),
		since_start_us: at,
		gap_us: gap,
		unit_id: 1,
		transaction: null,
		function: 3,
		address: 0,
		count: 2,
		exception: null,
	}));

export const reportOf = (nowMs: number) => ({
	report: {
		created_at: new Date(nowMs).toISOString(),
		created_by: 'admin@example.org',
		gateway: {
			gateway_id: 'a1000000-0000-4000-8000-000000000001',
			site: 'Plant North',
			hostname: 'edge-1',
			version: '0.1.0',
			is_enrolled: false,
		},
		summary: { devices: 2, devices_ok: 1, devices_with_mistakes: 1, lines: 2, worst_wiring_score: 54, mistakes: 2 },
		lines: linesOf().map(({ line }) => lineOf(line)),
		devices: [
			{
				device_uid: 'meter-main',
				name: 'Main feed',
				device_type: 'meter',
				driver: 'modbus',
				line: 'tcp 192.168.10.21:502',
				unit_id: 1,
				template: { key: 'eastron-sdm630', manufacturer: 'Eastron', model: 'SDM630' },
				firmware_version: null,
				metadata: {},
				health: { state: 'ok', since: new Date(nowMs).toISOString(), reason: null },
				wiring: { score: 98, verdict: 'good', reasons: [], latency_p50_ms: 2.1, latency_p99_ms: 8.4 },
				values: [
					{ point: 'voltage_l1', name: 'Voltage L1', unit: 'V', value: 231.4, quality: 'good', read_at: '', age_s: 1 },
					{
						point: 'power_total',
						name: 'Total power',
						unit: 'W',
						value: 8_102.5,
						quality: 'good',
						read_at: '',
						age_s: 1,
					},
				],
				mistakes: [],
			},
			{
				device_uid: 'meter-press',
				name: 'Press line 2 with a rather long name',
				device_type: 'meter',
				driver: 'modbus',
				line: RTU,
				unit_id: 3,
				template: { key: 'eastron-sdm630', manufacturer: 'Eastron', model: 'SDM630' },
				firmware_version: null,
				metadata: {},
				health: { state: 'offline', since: new Date(nowMs).toISOString(), reason: 'No answer since 13:41.' },
				wiring: { score: 54, verdict: 'poor', reasons: POOR, latency_p50_ms: 61, latency_p99_ms: 240 },
				values: [],
				mistakes: ['Press line 2: no value has ever arrived'],
			},
		],
		mistakes: [`${RTU} cannot keep up with its devices`],
	},
	signature: null,
});
