/** For tests of topologies: published as `voltstream/testing`. */
export { TopologyTestDriver } from './topology-test-driver.ts';
export type { OutputRecord, TopologyTestDriverOptions } from './topology-test-driver.ts';
