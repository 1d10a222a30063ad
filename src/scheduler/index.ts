// The scheduler, as other folders start it.

export {
  startScheduler,
  type RunningScheduler,
  type SchedulerDeps,
  type SchedulerOptions,
} from "./scheduler.ts";
export { schedulerOptions, type SchedulerConfiguration } from "./config.ts";
