import { sentencesOf } from './text.ts';

/** Sentences of the form of a device that not every visit needs. They are fetched with it. */
const en = {
	'edit.title': 'Change {name}',

	'kind.serial': 'Serial, not Modbus',
	'kind.socket': 'Serial server, not Modbus',
	'kind.streamHint':
		'A device with frames of its own, e.g. a P1 meter, a scale or a receiver. It has the line for itself, and it is only read.',
	'kind.socketHint': 'A serial server in raw mode, which carries the bytes as they are.',
	'stream.period': 'Ask every (ms)',
	'stream.periodHint': 'Of a device that sends by itself: the shortest time between two readings that are kept.',
	'stream.timeout': 'Answer within (ms)',
	'stream.timeoutHint':
		'Of a device that sends by itself: the longest silence before it is offline. Three of its periods.',

	'tuning.title': 'Advanced: how it is asked',
	'tuning.lead': 'Empty fields: as the template says, or by measurement.',
	'tuning.timeout_mode': 'Wait for an answer',
	'tuning.mode.': 'As usual (adaptive)',
	'tuning.mode.adaptive': 'Adaptive: four times the measured latency',
	'tuning.mode.fixed': 'Fixed: always the whole time',
	'tuning.retries': 'Repeats',
	'tuning.retriesHint': '0 to 5 repeats of a read without a usable answer. Usual: 0.',
	'tuning.guard_ms': 'Silence before each request (ms)',
	'tuning.guard_msHint': '0 to 10000.',
	'tuning.max_registers': 'Most registers of one read',
	'tuning.max_registersHint': '1 to 125.',
	'tuning.fast_period_ms': 'Fast points every (ms)',
	'tuning.fast_period_msHint': 'Empty: as often as the device is read.',
	'tuning.slow_period_ms': 'Slow points every (ms)',
	'tuning.slow_period_msHint': 'Empty: each tenth time.',

	'points.title': 'Advanced: points that differ from the template',
	'points.lead': 'For this device only. Empty fields: as the template says.',
	'points.noTemplate': 'Choose a template first.',
	'points.add': 'Change a point',
	'points.remove': 'As the template has it',
	'points.legend': 'Point {n}',
	'points.point': 'Point',
	'points.choose': 'Choose a point',
	'points.read': 'Read this point',
	'points.name': 'Name',
	'points.unit': 'Unit',
	'points.noUnit': 'Without a unit',
	'points.scale': 'Factor',
	'points.offset': 'Offset',
	'points.min': 'Smallest plausible',
	'points.max': 'Largest plausible',
	'points.poll': 'How often',
	'points.poll.': 'As the template says',
	'points.poll.fast': 'Fast',
	'points.poll.normal': 'Normal',
	'points.poll.slow': 'Slow',
	'points.poll.once': 'Once',
	'points.poll.on-demand': 'Only when asked for',
} as const;

export const td = sentencesOf(en);
