import { sentencesOf } from './text.ts';

/** Sentences about the registers that a unit answers. They are fetched with their pages. */
const en = {
	'registers.title': 'Which registers answer',
	'registers.lead':
		'Reads a table of one unit from an address to another. It takes a back seat behind polling, and may take hours on a slow line.',
	'registers.from': 'From address',
	'registers.to': 'To address',
	'registers.toHint': 'As on the wire, from 0; at most 65535.',
	'registers.more': 'More',
	'registers.timeout': 'Wait for an answer (ms)',
	'registers.pause': 'Pause between two reads (ms)',
	'registers.thorough': 'Ask for each address, also where many were refused',
	'registers.start': 'Start',
	'registers.running': 'What answers is shown when the scan has ended or was stopped.',
	'registers.nothing': 'No register answered.',
	'registers.answered': 'Addresses that answer',
	'registers.silent': 'Neither answered nor refused',
	'registers.cap': 'Most of one read',
	'registers.capUnknown': '{n}, or more',
	'registers.reads': 'Reads',
	'registers.pairs': 'Single registers are refused: values are 32 bits wide.',
	'registers.zeros': 'Leave out those that are 0',
	'registers.count': '{shown} of {all}',
	'registers.allZero': 'All of them are 0.',
	'registers.address': 'Address',
	'registers.words': 'Words',
	'registers.meanings': 'Could be',
	'registers.try': 'Try',
	'registers.tryAt': 'Try address {address}',
} as const;

export const tr = sentencesOf(en);
