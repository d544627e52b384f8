export type Parity = 'none' | 'even' | 'odd';

/** How a serial port is set. All devices on one port share its settings. */
export interface SerialSettings {
	/** Path of the port, best a stable one below /dev/serial/by-id. */
	readonly path: string;
	readonly baudRate: number;
	readonly parity: Parity;
	readonly dataBits: 7 | 8;
	readonly stopBits: 1 | 2;
}

/** Modbus/TCP Security: TLS around Modbus TCP, on port 802 (MB-TCP-Security v36, section 5). */
export interface LineTls {
	/** Name of the authority file below the gateway's folder for field certificates; absent: those of the operating system. */
	readonly authority?: string;
	/** Name of the certificate and key the gateway shows; absent: it shows none. */
	readonly certificate?: string;
	/** Name the device's certificate must carry; absent: the host of the line. */
	readonly serverName?: string;
}

/** Modbus TCP. */
export interface TcpLine {
	readonly transport: 'tcp';
	readonly host: string;
	readonly port: number;
	readonly tls?: LineTls;
	/** Requests that may be under way at once, 1 to 16; absent: 1. Only devices that work in parallel gain by more. */
	readonly depth?: number;
	/** Ends the connection after each round, for devices that accept only one and share it with others; absent: it is kept. */
	readonly closeAfterPoll?: boolean;
}

/** A serial port of this machine with Modbus RTU or ASCII frames. */
export interface SerialLine extends SerialSettings {
	readonly transport: 'rtu' | 'ascii';
}

/** A transparent serial server: serial frames inside a TCP stream, without the header of Modbus TCP. */
export interface ConverterLine {
	readonly transport: 'rtu-over-tcp' | 'ascii-over-tcp';
	readonly host: string;
	readonly port: number;
	/** Rate of the serial line behind the converter; absent: 9600. Requests are planned and late answers awaited by it. */
	readonly baudRate?: number;
}

/** The line a Modbus device hangs on. Devices with the same line share one bus. */
export type Line = TcpLine | SerialLine | ConverterLine;

/** The line of a serial device that is not Modbus: a port of this machine, or a socket that carries its bytes. */
export type StreamLine =
	| (SerialSettings & { readonly transport: 'serial' })
	| { readonly transport: 'socket'; readonly host: string; readonly port: number };

/** How often a point is read. `once`: at the start and after each loss of the device; `on-demand`: only when somebody asks. */
export type PollClass = 'fast' | 'normal' | 'slow' | 'once' | 'on-demand';

/** What the gateway does differently for one Modbus device. Absent: as the template says, or by measurement. */
export interface ModbusTuning {
	/** `adaptive`: four times the measured latency, at most `timeoutMs`; `fixed`: always `timeoutMs`. Absent: adaptive. */
	readonly timeoutMode?: 'adaptive' | 'fixed';
	/** Repeats of a read that brought no usable answer, 0 to 5; absent: 0. */
	readonly retries?: number;
	/** Silence before each request to the device, ms. */
	readonly guardMs?: number;
	/** Most registers of one read, 1 to 125. */
	readonly maxRegisters?: number;
	/** Period of the points of class `fast`, ms; absent: that of the device. */
	readonly fastPeriodMs?: number;
	/** Period of the points of class `slow`, ms; absent: ten times that of the device. */
	readonly slowPeriodMs?: number;
}

/** A value for a variable of the template, by which it decides which of its points there are. */
export interface TemplateOption {
	readonly name: string;
	readonly value: string | number | boolean;
}

/** What one device says about one point, above its template. */
export interface PointOverride {
	/** Key of the point. */
	readonly point: string;
	/** `false`: this point is not read. */
	readonly read?: boolean;
	readonly name?: string;
	readonly unit?: string;
	readonly scale?: number;
	readonly offset?: number;
	readonly min?: number;
	readonly max?: number;
	readonly poll?: PollClass;
}

export interface ModbusConnection {
	readonly driver: 'modbus';
	readonly line: Line;
	/** 0 to 255; 1 to 247 on a serial line. */
	readonly unitId: number;
	/** Key of a device template, e.g. `eastron-sdm630`. */
	readonly template: string;
	/** Time between two reads of the same point, ms. */
	readonly periodMs: number;
	/** Longest wait for an answer, ms. */
	readonly timeoutMs: number;
	readonly tuning?: ModbusTuning;
	readonly options?: readonly TemplateOption[];
	readonly overrides?: readonly PointOverride[];
}

/** A serial device that is not Modbus. */
export interface SerialConnection {
	readonly driver: 'serial';
	readonly line: StreamLine;
	/** Key of a template of the serial kind. */
	readonly template: string;
	/** Time between two requests, ms; of a free-running device the shortest time between two readings that are kept. */
	readonly periodMs: number;
	/** Longest wait for an answer, ms; of a free-running device the longest silence before it counts as lost. */
	readonly timeoutMs: number;
	readonly options?: readonly TemplateOption[];
	readonly overrides?: readonly PointOverride[];
}

/** How the gateway reaches a device. */
export type Connection = ModbusConnection | SerialConnection | { readonly driver: 'mqtt' };

/** The serial port of this machine that a connection uses, with its settings; `null` when it uses none. */
export function serialPortOf(connection: Connection | null): SerialSettings | null {
	if (connection === null || connection.driver === 'mqtt') return null;
	return 'path' in connection.line ? connection.line : null;
}

/** What tells one port or host from another, in either spelling of a line. */
export type LinePlace = { readonly path: string } | { readonly host: string; readonly port: number };

/** The thing that only one owner may have: two lines with the same port are the same line or a contradiction. */
export const portOf = (line: LinePlace): string =>
	'path' in line ? `port ${line.path}` : `host ${line.host.toLowerCase()}:${line.port}`;
