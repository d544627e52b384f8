/** A USB serial adapter as it tells about itself. Hexadecimal numbers are in lower case. */
export interface UsbAdapter {
	/** e.g. `0403` */
	readonly vendorId: string;
	/** e.g. `6001` */
	readonly productId: string;
	/** `null`: it has none, so it can only be told from another of its make by the socket it is in. */
	readonly serialNumber: string | null;
	/** Number of the interface, of adapters with several ports; e.g. `00`. */
	readonly interfaceNumber: string;
	readonly manufacturer: string | null;
	readonly product: string | null;
}

/** A program that has a port open. */
export interface PortHolder {
	readonly pid: number;
	/** Command name, as the kernel knows it. */
	readonly name: string;
}

/** A serial port that this machine has now. */
export interface SerialPortInfo {
	/** Device file, e.g. `/dev/ttyUSB0`. */
	readonly device: string;
	/** Link below `/dev/serial/by-id`: the same whichever socket the adapter is in. */
	readonly byId: string | null;
	/** Link below `/dev/serial/by-path`: the same whichever adapter is in the socket. */
	readonly byPath: string | null;
	/** What to write into a connection: the most lasting of the three. */
	readonly path: string;
	/** Kernel driver, e.g. `ftdi_sio`. */
	readonly driver: string | null;
	readonly usb: UsbAdapter | null;
	/** Where it is plugged in: the name of its by-path link, else its place on the USB; `null` of built-in ports. */
	readonly socket: string | null;
}

/** What makes an adapter the one that was meant by a configured path, whatever name it has today. */
export interface AdapterIdentity {
	readonly vendorId: string;
	readonly productId: string;
	readonly serialNumber: string | null;
	readonly interfaceNumber: string;
	readonly socket: string | null;
	/**
	 * It is only itself in this socket: it has no serial number, or another one with the same number was seen. Cheap
	 * adapters share one.
	 */
	readonly isBoundToSocket: boolean;
}

const isSameMake = (usb: UsbAdapter, identity: AdapterIdentity): boolean =>
	usb.vendorId === identity.vendorId &&
	usb.productId === identity.productId &&
	usb.interfaceNumber === identity.interfaceNumber;

/** Whether nothing the adapter says of itself tells it from the one that is meant. */
export const looksLike = ({ usb }: SerialPortInfo, identity: AdapterIdentity): boolean =>
	usb !== null && isSameMake(usb, identity) && usb.serialNumber === identity.serialNumber;

/** Whether this is the adapter that is meant. */
export const isAdapter = (port: SerialPortInfo, identity: AdapterIdentity): boolean =>
	looksLike(port, identity) && (!identity.isBoundToSocket || port.socket === identity.socket);

/** The identity of a port among all that are there now; `null` of ports that are not adapters: their name is theirs. */
export function identityOf(port: SerialPortInfo, all: readonly SerialPortInfo[]): AdapterIdentity | null {
	const { usb, socket } = port;
	if (usb === null) return null;
	const { vendorId, productId, serialNumber, interfaceNumber } = usb;
	const identity = { vendorId, productId, serialNumber, interfaceNumber, socket, isBoundToSocket: false };
	const twins = all.filter((other) => looksLike(other, identity));
	return { ...identity, isBoundToSocket: serialNumber === null || twins.length > 1 };
}

/** e.g. `FTDI FT232R USB UART (0403:6001, serial number A9XYZ)`. */
export function adapterName(adapter: UsbAdapter | AdapterIdentity): string {
	const words = 'product' in adapter ? [adapter.manufacturer, adapter.product] : [];
	const name = words.filter((word) => word !== null).join(' ') || 'USB adapter';
	const { vendorId, productId, serialNumber } = adapter;
	return `${name} (${vendorId}:${productId}, ${serialNumber === null ? 'no serial number' : `serial number ${serialNumber}`})`;
}
