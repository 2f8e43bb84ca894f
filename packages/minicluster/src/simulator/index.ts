export { type SimulatorOptions, startSimulator } from './simulator.ts'
