import type { ExecutionContext } from 'ava';

import type { Line } from '../../config/connection/connection.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { createModbusSlave, type ModbusSlave } from '../../gateway/simulator/modbus-slave.ts';
import type { RegisterImage } from '../../gateway/simulator/register-image.ts';
import { createSdm630Image } from '../../gateway/simulator/sdm630-image.ts';
import { createFakeSlave, type SlaveBehaviour } from '../fake/modbus-slave.ts';
import { type ScanBox, scanBox } from '../fake/scan-box.ts';

const SIMULATED = { vendor: 'Eastron', productCode: 'SDM630', revision: '2.00', productName: 'SDM630-Modbus V2' };

/** A meter that says its name. */
export const namedMeter = (seed: number): RegisterImage => ({ ...createSdm630Image(seed), identity: SIMULATED });

export const slaveOf = (images: Readonly<Record<number, RegisterImage>>): ModbusSlave =>
	createModbusSlave({
		clock: systemClock,
		images: new Map(Object.entries(images).map(([unitId, image]) => [Number(unitId), image])),
	});

export async function box(t: ExecutionContext, ...given: Parameters<typeof scanBox>): Promise<ScanBox> {
	const made = await scanBox(...given);
	t.teardown(() => made.stop());
	return made;
}

export async function fakeSlave(t: ExecutionContext, behaviour: SlaveBehaviour) {
	const slave = await createFakeSlave(behaviour);
	t.teardown(() => slave.stop());
	return slave;
}

export const tcp = (port: number): Line => ({ transport: 'tcp', host: '127.0.0.1', port });
