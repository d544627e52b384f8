/** What the API answers about lines, scans, ports and templates, as it is on the wire. */

export interface LineView {
	readonly line: string;
	readonly state: string;
	readonly reason: string | null;
	readonly requests: number;
	readonly answers: number;
	readonly timeouts: number;
	readonly exceptions: number;
	readonly crc_errors: number;
	readonly stray_frames: number;
	readonly foreign_frames: number;
	readonly echo_frames: number;
	readonly noise_bytes: number;
	readonly quarantines: number;
	readonly skipped_periods: number;
	/** Who has the line for itself, e.g. a scan; `null`: nobody. */
	readonly leased_to: string | null;
	/** What the line cannot keep up with; `null`: nothing. */
	readonly overrun: string | null;
	/** Share of the time the line is busy, 0 to 1. */
	readonly utilisation: number;
	readonly latency_p50_ms: number | null;
	readonly latency_p99_ms: number | null;
}

export interface WiringView {
	/** 0 to 100; `null`: not known yet. */
	readonly score: number | null;
	readonly verdict: 'good' | 'fair' | 'poor' | 'unknown';
	readonly reasons: readonly string[];
}

export interface LatencyBucketView {
	/** Answers within this time, ms, those of shorter times among them; `null`: all. */
	readonly up_to_ms: number | null;
	readonly count: number;
}

export interface UnitView {
	readonly unit_id: number;
	readonly devices: readonly { readonly device_uid: string; readonly name: string }[];
	readonly requests: number;
	readonly answers: number;
	readonly timeouts: number;
	/** Answers that were damaged or did not fit. */
	readonly corrupt: number;
	/** Answers that could have been late ones. */
	readonly unproven: number;
	readonly retries: number;
	readonly skipped_periods: number;
	readonly exceptions: readonly { readonly code: number; readonly text: string; readonly count: number }[];
	readonly utilisation: number;
	readonly latency_p50_ms: number | null;
	readonly latency_p99_ms: number | null;
	readonly latency: readonly LatencyBucketView[];
	readonly health: WiringView;
}

/** One line with its judgement and its units. */
export interface LineDetailView extends LineView {
	readonly health: WiringView;
	readonly units: readonly UnitView[];
}

export interface BudgetView {
	readonly line: string;
	/** Seconds of line time in each second; above 1 periods are skipped. */
	readonly need_share: number;
	readonly devices: readonly {
		readonly device_id: string | null;
		readonly name: string;
		readonly need_share: number;
		readonly requests_per_second: number;
	}[];
	/** `null` while there is time enough. */
	readonly sentence: string | null;
}

export interface RecordingView {
	readonly started_at: string;
	readonly until: string;
	readonly is_running: boolean;
	readonly bytes: number;
	/** Older frames that made room. */
	readonly dropped: number;
}

export interface FrameView {
	readonly direction: 'sent' | 'received';
	readonly at: string;
	readonly since_start_us: number;
	/** Silence before it, µs; `null` for the first. */
	readonly gap_us: number | null;
	readonly hex: string;
	readonly unit_id: number | null;
	readonly check: 'ok' | 'bad' | null;
	readonly text: string;
}

export interface FramesView {
	readonly recording: RecordingView | null;
	readonly frames: readonly FrameView[];
}

export interface PortView {
	/** What to write into a connection. */
	readonly path: string;
	readonly device: string;
	readonly by_id: string | null;
	readonly driver: string | null;
	readonly socket: string | null;
	readonly usb: {
		readonly serial_number: string | null;
		readonly manufacturer: string | null;
		readonly product: string | null;
	} | null;
	readonly in_use_by: { readonly pid: number; readonly name: string; readonly is_gateway: boolean } | null;
	readonly known_as: readonly string[];
}

export type ModbusTransport = 'tcp' | 'rtu' | 'ascii' | 'rtu-over-tcp' | 'ascii-over-tcp';

/** Of a serial device that is not Modbus: a port of the box, or a socket that carries its bytes. */
export type StreamTransport = 'serial' | 'socket';

/** A line as it is written in a connection. */
export interface LineSettings {
	readonly transport: ModbusTransport | StreamTransport;
	readonly host?: string;
	readonly port?: number;
	readonly path?: string;
	readonly baud_rate?: number;
	readonly parity?: string;
	readonly data_bits?: number;
	readonly stop_bits?: number;
	readonly tls?: { readonly authority?: string; readonly certificate?: string; readonly server_name?: string };
	readonly depth?: number;
	readonly close_after_poll?: boolean;
}

/** What the gateway does differently for one Modbus device; absent: as the template says, or by measurement. */
export interface TuningView {
	readonly timeout_mode?: 'adaptive' | 'fixed';
	readonly retries?: number;
	readonly guard_ms?: number;
	readonly max_registers?: number;
	readonly fast_period_ms?: number;
	readonly slow_period_ms?: number;
}

/** What one device says about one point, above its template. */
export interface OverrideView {
	readonly point: string;
	/** `false`: the point is not read. */
	readonly read?: boolean;
	readonly name?: string;
	readonly unit?: string;
	readonly scale?: number;
	readonly offset?: number;
	readonly min?: number;
	readonly max?: number;
	readonly poll?: string;
}

/** How a device is reached. */
export interface ConnectionView {
	readonly driver: string;
	readonly period_ms?: number;
	readonly timeout_ms?: number;
	readonly template?: string;
	readonly unit_id?: number;
	readonly line?: LineSettings;
	readonly tuning?: TuningView;
	readonly options?: readonly { readonly name: string; readonly value: OptionValue }[];
	readonly overrides?: readonly OverrideView[];
}

export interface HintView {
	readonly code: string;
	readonly severity: 'info' | 'warning';
	readonly sentence: string;
}

export interface CandidateView {
	readonly template: string;
	/** 0 to 1. */
	readonly confidence: number;
	readonly why: readonly string[];
}

export interface FoundUnitView {
	readonly unit_id: number;
	readonly line: LineSettings;
	readonly line_name: string;
	readonly latency_ms: number | null;
	readonly identification: {
		readonly objects: readonly { readonly name: string; readonly text: string }[];
		readonly server_id: { readonly hex: string; readonly text: string; readonly running: boolean | null } | null;
		readonly sunspec: {
			readonly manufacturer: string;
			readonly model: string;
			readonly serial_number: string;
			readonly models: readonly number[];
		} | null;
	};
	readonly candidates: readonly CandidateView[];
	readonly hints: readonly HintView[];
}

export interface ScanSummaryView {
	readonly id: string;
	readonly kind: 'serial' | 'tcp' | 'registers';
	readonly subject: string;
	readonly state: 'running' | 'done' | 'cancelled' | 'failed';
	readonly reason: string | null;
	readonly started_by: string;
	readonly started_at: string;
	readonly ended_at: string | null;
	readonly done: number;
	readonly total: number;
	readonly eta_seconds: number | null;
	readonly doing: string;
	readonly found_count: number;
	readonly hint_count: number;
}

/** Which unit and which table a scan of registers asks. */
export interface AskedRegistersView {
	readonly line: LineSettings;
	readonly line_name: string;
	readonly unit_id: number;
	readonly function: number;
	readonly from: number;
	readonly to: number;
}

/** Which addresses a unit answers. */
export interface FoundRegistersView {
	/** Values in hex, four digits a register; of coils and discrete inputs one digit each, 0 or 1. */
	readonly answered: readonly { readonly first: number; readonly last: number; readonly data: string }[];
	readonly silent: readonly { readonly first: number; readonly last: number }[];
	readonly most_per_read: number;
	readonly most_per_read_known: boolean;
	/** Single registers are refused: values are 32 bits wide. */
	readonly pairs_only: boolean;
	readonly reads: number;
}

export interface ScanView extends ScanSummaryView {
	readonly found: readonly FoundUnitView[];
	/** `null`: it looks for units. */
	readonly asked: AskedRegistersView | null;
	/** `null` while it runs, and of a scan that looks for units. */
	readonly registers: FoundRegistersView | null;
	readonly hints: readonly HintView[];
}

export type Notation = 'zero-based' | 'one-based' | 'reference' | 'reference-zero-based';

export interface DecodingView {
	readonly notation: Notation;
	readonly address: number;
	/** As it is written in manuals, e.g. `40053`. */
	readonly reference: string;
	readonly count: number;
	readonly type: string;
	readonly byte_order: string;
	readonly value: number | string | boolean | null;
	readonly scale: number;
	readonly plausibility: number;
	readonly hint: string | null;
	readonly matches: boolean | null;
}

export interface TriedReadView {
	readonly address: number;
	readonly count: number;
	readonly words: readonly { readonly address: number; readonly hex: string; readonly decimal: number }[];
	readonly latency_ms: number | null;
	readonly exception_code: number | null;
	readonly exception: string | null;
	readonly error: string | null;
}

export interface TriedView {
	readonly line: string;
	readonly reads: readonly TriedReadView[];
	readonly decodings: readonly DecodingView[];
}

export type OptionValue = string | number | boolean;

export interface TemplateOptionView {
	readonly name: string;
	readonly label: string;
	readonly type: 'boolean' | 'number' | 'text';
	readonly default: OptionValue;
	readonly choices: readonly { readonly value: OptionValue; readonly label: string }[] | null;
}

export interface TemplateView {
	readonly key: string;
	readonly manufacturer: string;
	readonly model: string;
	readonly points?: number;
	readonly mistakes?: readonly unknown[];
	readonly variants?: readonly string[];
	/** `serial` and `socket`: it is of a device that is not Modbus. */
	readonly transports?: readonly string[];
	readonly verification?: 'two sources' | 'one source' | 'unverified' | null;
	readonly comm_defaults?: {
		readonly baud_rate: number | null;
		readonly data_bits: number | null;
		readonly parity: string | null;
		readonly stop_bits: number | null;
		readonly unit_id: number | null;
		readonly tcp_port: number | null;
	} | null;
	readonly options?: readonly TemplateOptionView[];
}

export interface SunspecView {
	readonly manufacturer: string;
	readonly model: string;
	readonly serial_number: string;
	readonly models: readonly number[];
	readonly template: { readonly key: string; readonly document: unknown };
	readonly left_out: readonly string[];
}

/** The commissioning report; the signature is over its text. */
export interface CommissioningView {
	readonly report: {
		readonly created_at: string;
		readonly created_by: string;
		readonly gateway: {
			readonly gateway_id: string;
			readonly site: string;
			readonly hostname: string;
			readonly version: string;
			readonly is_enrolled: boolean;
		};
		readonly summary: {
			readonly devices: number;
			readonly devices_ok: number;
			readonly devices_with_mistakes: number;
			readonly lines: number;
			readonly worst_wiring_score: number | null;
			readonly mistakes: number;
		};
		readonly lines: readonly LineDetailView[];
		readonly devices: readonly CommissionedView[];
		readonly mistakes: readonly string[];
	};
	readonly signature: { readonly algorithm: string; readonly value: string } | null;
}

export interface CommissionedView {
	readonly device_uid: string;
	readonly name: string;
	readonly device_type: string;
	readonly driver: string | null;
	readonly line: string | null;
	readonly unit_id: number | null;
	readonly template: { readonly key: string; readonly manufacturer: string; readonly model: string } | null;
	readonly health: { readonly state: 'ok' | 'degraded' | 'offline' | 'unknown'; readonly reason: string | null };
	readonly wiring: WiringView | null;
	readonly values: readonly {
		readonly point: string;
		readonly name: string;
		readonly unit: string;
		readonly value: unknown;
		readonly quality: string;
		readonly age_s: number;
	}[];
	readonly mistakes: readonly string[];
}
