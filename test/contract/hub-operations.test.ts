import { testOperations } from './kit/test-operations.ts';

testOperations('hub');
