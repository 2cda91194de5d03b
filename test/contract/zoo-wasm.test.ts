/** The zoo's contract on tfjs' wasm backend. */
import { openEngine } from '../../src/models/engine/engine.ts';
import { zooContract } from './zoo-contract.ts';

zooContract('wasm', openEngine);
