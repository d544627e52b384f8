import type { Plan } from '../kit/case.ts';

/** A name that would give away a secret. */
const SECRET = /"[^"]*(?:password|secret|token_key|private|enrolment_code|claim_code)[^"]*":"[^"]+"/i;

/** The system itself. */
export const systemPlans: Readonly<Record<string, Plan>> = {
	getSystemHealth: { request: async () => ({}) },
	getSystemInfo: {
		request: async () => ({}),
		verify: ({ text }) => (SECRET.test(text) ? ['the settings show a secret'] : []),
	},
};
