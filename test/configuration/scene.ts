import type { ConfigurationDocument } from '../../core/configuration/configuration.ts';
import { GATEWAY } from '../fake/device-box.ts';
import { type Bench, overTcp, startBench } from './bench.ts';

export const OPERATOR = 'operator@example.com';
export const meters = ({ devices }: Bench): readonly string[] =>
	devices()
		.all()
		.map(({ uid, name }) => `${uid} ${name}`)
		.toSorted();

export const renamed =
	(uid: string, name: string) =>
	(document: ConfigurationDocument): ConfigurationDocument => {
		const device = document.devices[uid];
		if (device === undefined) throw new RangeError(`there is no device ${uid}`);
		return { ...document, devices: { ...document.devices, [uid]: { ...device, name } } };
	};

export const without =
	(uid: string) =>
	(document: ConfigurationDocument): ConfigurationDocument => ({
		...document,
		devices: Object.fromEntries(Object.entries(document.devices).filter(([key]) => key !== uid)),
	});

/** A gateway with two meters on one line, whose configuration is revision 1 of its hub. */
export async function managed(...given: Parameters<typeof startBench>): Promise<Bench> {
	const bench = await startBench(...given);
	await bench.addDevice('one', overTcp(1502, 1));
	await bench.addDevice('two', overTcp(1502, 2));
	await bench.connect();
	await bench.hub.adopt(GATEWAY, 'as found', OPERATOR);
	await bench.until('running');
	return bench;
}
