/** Sentences about how gateway and hub come to the same history. */
export const enSync = {
	'carry.title': 'Without a network',
	'carry.lead':
		'What the hub lacks as one file, the oldest first. Only the hub of this gateway can open it. Carry it there: page Gateways, button Import bundle.',
	'carry.size': 'At most',
	'carry.mib': '{size} MiB',
	'carry.export': 'Export bundle',
	'carry.working': 'Exporting…',
	'carry.receipt': 'Receipt of the hub',
	'carry.receiptHint': 'The hub shows it after the import. With it, this gateway knows what it may let go.',
	'carry.takeReceipt': 'Take receipt',
	'carry.taken': 'The hub holds {count} samples of this gateway',

	'import.open': 'Import bundle',
	'import.title': 'Import a bundle',
	'import.lead':
		'A file from the Sync page of a gateway without a network. Its signature is checked before anything is stored; each sample is stored once.',
	'import.file': 'Bundle',
	'import.sent': '{sent} of {size}',
	'import.submit': 'Import',
	'import.close': 'Close',
	'import.refused': 'Refused. {reason}',
	'import.again': 'Not imported, try again. {reason}',
	'import.gateway': 'Gateway',
	'import.stored': 'Stored samples',
	'import.duplicates': 'Here already',
	'import.refusedSamples': 'Refused samples',
	'import.more': 'The gateway holds more than the bundle took: enter the receipt there and export another one.',
	'import.receiptLead':
		'Enter the receipt on the Sync page of the gateway. Without it nothing is lost; the next bundle holds the same again.',
	'import.receipt': 'Receipt',
} as const;
