import Joi from 'joi';

import type { ConfigurationDocument } from '../../core/configuration/configuration.ts';
import { outcomeAnswer, outcomeView, patchAnswer } from '../../core/configuration/configuration-view.ts';
import type { Patch } from '../../core/configuration/json-patch.ts';
import { toIso } from '../../core/kernel/clock.ts';
import type { ConfigState } from '../../core/link/config-messages.ts';

/** The configuration of this gateway as it is answered. */
export const configurationAnswer = Joi.object({
	revision: Joi.number().min(0),
	checksum: Joi.string().allow(null),
	current_checksum: Joi.string(),
	document: Joi.object().unknown(),
	drift: patchAnswer,
	previous_revision: Joi.number().min(0).allow(null),
	trial: Joi.object({ revision: Joi.number(), until: Joi.string().isoDate() })
		.options({ presence: 'required' })
		.allow(null),
	last: outcomeAnswer.allow(null),
	restart_needed: Joi.array().items(Joi.string()),
})
	.options({ presence: 'required' })
	.label('Configuration');

export const configurationView = (state: ConfigState, document: ConfigurationDocument, drift: Patch) => ({
	revision: state.revision,
	checksum: state.checksum,
	current_checksum: state.current,
	document,
	drift,
	previous_revision: state.previous,
	trial: state.trial === null ? null : { revision: state.trial.revision, until: toIso(state.trial.until) },
	last: state.last === null ? null : outcomeView(state.last),
	restart_needed: state.restartNeeded,
});
