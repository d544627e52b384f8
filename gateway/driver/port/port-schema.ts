import Joi from 'joi';

import { portPath } from '../../../config/connection/connection-schema.ts';
import type { SerialPortStatus } from './serial-ports.ts';

/** Which port is meant, as it is written in a connection. */
export const portBody = Joi.object({ path: portPath });

const hexNumber = () => Joi.string().hex().length(4);

export const portAnswer = Joi.object({
	path: Joi.string().description('What to write into a connection: the most lasting name of the port'),
	device: Joi.string(),
	by_id: Joi.string().allow(null),
	by_path: Joi.string().allow(null),
	driver: Joi.string().allow(null),
	socket: Joi.string().allow(null).description('Where it is plugged in; null of built-in ports'),
	usb: Joi.object({
		vendor_id: hexNumber(),
		product_id: hexNumber(),
		serial_number: Joi.string().allow(null),
		interface_number: Joi.string(),
		manufacturer: Joi.string().allow(null),
		product: Joi.string().allow(null),
	}).allow(null),
	in_use_by: Joi.object({
		pid: Joi.number(),
		name: Joi.string(),
		is_gateway: Joi.boolean().description('It is this gateway itself'),
	}).allow(null),
	known_as: Joi.array()
		.items(Joi.string())
		.description('Paths of connections that mean this port, whatever its name is now'),
})
	.options({ presence: 'required' })
	.label('SerialPort');

export const portView = ({ holder, usb, ...port }: SerialPortStatus) => ({
	path: port.path,
	device: port.device,
	by_id: port.byId,
	by_path: port.byPath,
	driver: port.driver,
	socket: port.socket,
	usb:
		usb === null
			? null
			: {
					vendor_id: usb.vendorId,
					product_id: usb.productId,
					serial_number: usb.serialNumber,
					interface_number: usb.interfaceNumber,
					manufacturer: usb.manufacturer,
					product: usb.product,
				},
	in_use_by: holder === null ? null : { ...holder, is_gateway: holder.pid === process.pid },
	known_as: port.knownAs,
});
