/** What a coordinator is asked for, in the codes of FindCoordinator. */
export const coordinatorType = { group: 0, transaction: 1 } as const;
export type CoordinatorType = (typeof coordinatorType)[keyof typeof coordinatorType];
