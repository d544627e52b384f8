import { testEvents } from './kit/test-events.ts';

testEvents('gateway');
