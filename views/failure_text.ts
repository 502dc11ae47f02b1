/** What is said of a failure; the sentence is the failure's own where there is none here. */
export interface FailureText {
  title: string;
  sentence?: string;
  /** What to do now, in a second sentence. */
  advice?: string;
  /** The label of the way on. */
  action?: string;
  /** Whether the failure's own sentence is shown, too, for those who can repair it. */
  technical?: boolean;
}
