import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { createPortNames } from '../../gateway/driver/port/port-names.ts';
import { memoryOfPorts, portsOf } from '../fake/machine-ports.ts';
import { createPortMachine, type FakeAdapter } from '../fake/port-machine.ts';

/** A machine with one adapter, its three names, and a second adapter that is not plugged in. */
async function newMachine(t: ExecutionContext) {
	const machine = await createPortMachine(t);
	const memory = memoryOfPorts();
	const ports = portsOf(machine.folders, memory);
	t.teardown(() => ports.stop());
	const adapter = async (name: string, place: string, serialNumber: string): Promise<FakeAdapter> => {
		const file = join(machine.folders.sys, serialNumber);
		await writeFile(file, '');
		return { name, place, serialNumber, file };
	};
	const meters = await adapter('ttyUSB0', '1-1', 'METERS');
	const plain = await machine.plug(meters);
	const names = { id: machine.byId(meters), socket: machine.byPath(meters), plain };
	const all = Object.values(names);
	const look = (paths = all) => {
		ports.use(paths);
		return ports.look(paths);
	};
	const open = async (path: string) => ports.opened(await ports.find(path));
	return { machine, memory, ports, adapter, meters, names, all, look, open };
}

test('a path that was never looked at stands for itself', async (t) => {
	const { ports, names } = await newMachine(t);
	t.is(ports.nameOf(names.plain), names.plain);
	t.is(ports.nameOf('/dev/nowhere'), '/dev/nowhere');
});

test('all names of a port are one, that of the first device', async (t) => {
	const { ports, names, all, look } = await newMachine(t);
	await look();
	for (const path of all) t.is(ports.nameOf(path), names.id);
	await look([names.plain, names.socket]);
	t.is(ports.nameOf(names.socket), names.plain);
	t.is(ports.nameOf(names.id), names.plain, 'a name that no device uses any more still leads to that port');
	await look(['/dev/nowhere', names.plain]);
	t.is(ports.nameOf('/dev/nowhere'), '/dev/nowhere');
});

test('a port that somebody else looks for, e.g. a scan, has the name it has among the devices', async (t) => {
	const { ports, names, look } = await newMachine(t);
	await ports.find(names.plain);
	await look([names.socket]);
	await ports.find(names.id);
	t.is(ports.nameOf(names.plain), names.socket);
	t.is(ports.nameOf(names.id), names.socket);
});

test('names that were one stay one while the port is unplugged, and after it came back under another name', async (t) => {
	const { machine, ports, meters, names, all, look, open } = await newMachine(t);
	await look();
	await open(names.id);
	await machine.unplug(meters);
	await look();
	for (const path of all) t.is(ports.nameOf(path), names.id, 'unplugged');
	await machine.plug({ ...meters, name: 'ttyUSB3' });
	await look();
	for (const path of all) t.is(ports.nameOf(path), names.id, 'came back');
	t.is((await ports.find(names.plain)).device, join(machine.folders.dev, 'ttyUSB3'));
});

test('a path means the adapter that was opened under another name of its port, also after a restart', async (t) => {
	const { machine, memory, meters, names, look, open } = await newMachine(t);
	await look();
	await open(names.id);
	await machine.unplug(meters);
	const after = portsOf(machine.folders, memory);
	t.teardown(() => after.stop());
	after.use([names.plain, names.id]);
	await after.look([names.plain, names.id]);
	t.is(after.nameOf(names.id), names.plain, 'although nothing is plugged in');
});

test('a name that another adapter has taken is a port of its own', async (t) => {
	const { machine, ports, adapter, meters, names, all, look, open } = await newMachine(t);
	await look();
	await open(names.id);
	await machine.unplug(meters);
	await look();
	const pump = await adapter('ttyUSB0', '1-1', 'PUMP');
	await machine.plug(pump);
	const pumpId = machine.byId(pump);
	await look([...all, pumpId]);
	t.is(ports.nameOf(names.id), names.id);
	t.is(ports.nameOf(names.plain), names.id, 'it means the adapter that is missing');
	t.is(ports.nameOf(names.socket), names.socket, 'a socket means whatever is in it');
	t.is(ports.nameOf(pumpId), names.socket);
	await ports.adopt(names.plain);
	await look([...all, pumpId]);
	t.is(ports.nameOf(pumpId), names.socket);
	t.is(ports.nameOf(names.plain), names.socket, 'it was said to mean the other one');
});

test('an adapter in another socket leaves the name of the first one behind', async (t) => {
	const { machine, ports, meters, names, look, open } = await newMachine(t);
	await look();
	await open(names.id);
	await machine.unplug(meters);
	await look();
	await machine.plug({ ...meters, place: '1-4' });
	await look();
	t.is(ports.nameOf(names.socket), names.socket);
	t.is(ports.nameOf(names.plain), names.id);
});

test('adopting an adapter is told like a change of plugs, so that lines are shared anew', async (t) => {
	const { ports, names } = await newMachine(t);
	let told = 0;
	t.teardown(
		ports.listen(() => {
			told += 1;
		}),
	);
	const before = told;
	await ports.adopt(names.plain);
	t.true(told > before);
});

test('paths that no device uses are forgotten in the order in which they came, those of devices never', (t) => {
	const names = createPortNames();
	names.use(['/dev/used']);
	names.saw('/dev/used', 'port');
	names.saw('/dev/first', 'port');
	for (let other = 0; other < 300; other += 1) names.saw(`/dev/other${other}`, 'elsewhere');
	t.is(names.nameOf('/dev/first'), '/dev/first');
	names.saw('/dev/last', 'port');
	t.is(names.nameOf('/dev/last'), '/dev/used');
});
