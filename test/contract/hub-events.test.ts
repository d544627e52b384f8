import { testEvents } from './kit/test-events.ts';

testEvents('hub');
