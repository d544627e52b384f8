import { Fault, type FaultReason } from '../../../../core/kernel/fault.ts';

/** Why a port or a host cannot be used, by the code of the operating system; `$` stands for the port. */
const sentences: Readonly<Record<string, readonly [sentence: string, reason: FaultReason]>> = {
	ENOENT: ['$ does not exist: the adapter is unplugged or has another name', 'unreachable'],
	ENXIO: ['$ has no device behind it: the adapter is unplugged', 'unreachable'],
	ENODEV: ['$ has no device behind it: the adapter is unplugged', 'unreachable'],
	ENOTTY: ['$ is not a serial port', 'rule-violation'],
	EACCES: ['$ may not be opened: the gateway must belong to the group that owns it, mostly dialout', 'forbidden'],
	EPERM: ['$ may not be opened: the operating system does not permit it', 'forbidden'],
	EBUSY: ['$ is in use by another program', 'state-conflict'],
	ECONNREFUSED: [
		'$ refuses connections: nothing listens on this port, or its number of masters is reached',
		'unreachable',
	],
	ECONNRESET: ['$ closed the connection while it was being opened', 'unreachable'],
	ETIMEDOUT: ['$ does not answer: check power, cable and address', 'timeout'],
	EHOSTUNREACH: ['$ cannot be reached: no device at this address in the network', 'unreachable'],
	ENETUNREACH: ['$ cannot be reached: the gateway has no route to this network', 'unreachable'],
	ENOTFOUND: ['$ cannot be reached: the name is not known', 'unreachable'],
	EAI_AGAIN: ['$ cannot be reached: the name server does not answer', 'unreachable'],
};

/** @param port the port or `host:port` as the installer wrote it */
export function openFault(port: string, code: string | undefined, cause: Error): Fault {
	const [sentence, reason] = sentences[code ?? ''] ?? [`$ cannot be opened: ${cause.message}`, 'unreachable'];
	const suffix = code === undefined ? '' : ` (${code})`;
	return new Fault(reason, `${sentence.replace('$', () => port)}${suffix}`, { cause });
}
