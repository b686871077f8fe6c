//! Timers: the schedules that functions create, and the hourly sweep.

use crate::reading::{RECONCILER, REPORTER, functions, of_type, pascal, read, resources_of};
use serde_json::{Value, json};

/// The variable that says that a function creates schedules.
const GROUP: &str = "TIMER_GROUP_NAME";

/// The logical ids of the functions that create schedules, with their folders.
fn with_schedules(template: &Value) -> Vec<(String, String)> {
    let has_them = |id: &str| {
        let variables = &template["Resources"][id]["Properties"]["Environment"]["Variables"];
        !variables[GROUP].is_null()
    };
    let all = functions().into_iter().map(|folder| (pascal(&folder), folder));
    all.filter(|(id, _)| has_them(id)).collect()
}

fn statements(role: &Value) -> &Vec<Value> {
    role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap()
}

/// What is wrong with the resources of timers.
fn problems(template: &Value) -> Vec<String> {
    let all = resources_of(template);
    let mut problems = Vec::new();
    for (id, folder) in with_schedules(template) {
        let properties = |id: &str| &template["Resources"][id]["Properties"];
        let mut expect = |what: &str, found: &Value, expected: Value| {
            if *found != expected {
                problems.push(format!("{folder}: {what}: {found}"));
            }
        };
        let variables = &properties(&id)["Environment"]["Variables"];
        let queue = format!("{id}Queue");
        let letters = format!("{id}DeadLetters");
        let role = format!("{id}TimersRole");
        let arn = |id: &str| json!({ "Fn::GetAtt": format!("{id}.Arn") });
        expect(GROUP, &variables[GROUP], json!({ "Ref": "TimerGroup" }));
        expect("TIMER_ROLE_ARN", &variables["TIMER_ROLE_ARN"], arn(&role));
        expect("TIMER_QUEUE_ARN", &variables["TIMER_QUEUE_ARN"], arn(&queue));
        expect("TIMER_DEAD_LETTERS_ARN", &variables["TIMER_DEAD_LETTERS_ARN"], arn(&letters));

        // The role's trust policy: EventBridge Scheduler, for schedules of the stack's group.
        //
        // Source: <https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html>
        let trust = json!([{
            "Effect": "Allow",
            "Principal": { "Service": "scheduler.amazonaws.com" },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": {
                "aws:SourceAccount": { "Ref": "AWS::AccountId" },
                "aws:SourceArn": { "Fn::GetAtt": "TimerGroup.Arn" },
            } },
        }]);
        expect("trust", &properties(&role)["AssumeRolePolicyDocument"]["Statement"], trust);
        let send = json!([{
            "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": [arn(&queue), arn(&letters)],
        }]);
        expect("sends", &json!(statements(properties(&role))), send);
        let condition = |id: &str| template["Resources"][id]["Condition"].clone();
        expect("condition", &condition(&role), condition(&id));

        // The function's permissions.
        let own = statements(properties(&format!("{id}Role")));
        let may = |service: &str| -> Value {
            let of_service = own.iter().filter(|one| one["Action"].to_string().contains(service));
            of_service.cloned().collect()
        };
        let prefix: String = folder.chars().take(16).collect();
        let names = format!(
            "arn:${{AWS::Partition}}:scheduler:${{AWS::Region}}:${{AWS::AccountId}}:schedule/*/tw-{prefix}-*"
        );
        let schedules = json!([{
            "Effect": "Allow",
            "Action": ["scheduler:CreateSchedule", "scheduler:GetSchedule"],
            "Resource": { "Fn::Sub": names },
        }]);
        expect("schedules", &may("scheduler:"), schedules);
        let pass = json!([{
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": arn(&role),
            "Condition": { "StringEquals": { "iam:PassedToService": "scheduler.amazonaws.com" } },
        }]);
        expect("passes", &may("iam:"), pass);

        let sweeps: Vec<&Value> = properties(&id)["Events"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, event)| event["Type"] == "Schedule")
            .map(|(_, event)| &event["Properties"])
            .collect();
        let sweep = |property: &str| sweeps.iter().map(|sweep| sweep[property].clone()).collect::<Value>();
        expect("sweep", &sweep("Schedule"), json!(["rate(1 hour)"]));
        expect("sweep", &sweep("Input"), json!([r#"{"sweep":{}}"#]));
    }
    for (id, _) in of_type(&all, "AWS::SQS::Queue") {
        if template["Resources"][id]["Properties"]["FifoQueue"] == true {
            problems.push(format!("{id}: a schedule's dead-letter queue is a standard queue"));
        }
    }
    problems
}

#[test]
fn a_function_with_timers_may_make_schedules_of_its_own_that_send_to_its_own_queue_and_no_others() {
    let template = read("template.yaml");
    assert_eq!(
        with_schedules(&template).len(),
        9,
        "notify-slack, notify-teams, page-on-call, refresh-extract, request-certification, send-email, send-sms, set-quality-warning, track-servicenow-incident"
    );
    assert_eq!(problems(&template), Vec::<String>::new());
}

/// A function that creates no schedules has no permission for them, and no sweep.
#[test]
fn a_function_without_timers_has_nothing_of_them() {
    let template = read("template.yaml");
    let with = with_schedules(&template);
    for folder in functions().into_iter().filter(|folder| !with.iter().any(|(_, known)| known == folder)) {
        let id = pascal(&folder);
        let resource = |id: String| template["Resources"][&id].to_string();
        assert!(!resource(format!("{id}Role")).contains("scheduler"), "{folder}");
        // Its schedule brings no timers.
        let has_schedule = [RECONCILER, REPORTER].contains(&folder.as_str());
        assert_eq!(resource(id.clone()).contains("\"Schedule\""), has_schedule, "{folder}");
        assert_eq!(resource(format!("{id}TimersRole")), "null", "{folder}");
    }
}

/// The schedule group is deleted with the stack, and its schedules with it; schedules in the group `default` would
/// remain.
#[test]
fn the_stack_has_a_group_of_schedules_and_an_alarm_for_what_they_cannot_bring() {
    let template = read("template.yaml");
    let group = &template["Resources"]["TimerGroup"];
    assert_eq!(group["Type"], "AWS::Scheduler::ScheduleGroup");
    assert_eq!((&group["DeletionPolicy"], &group["Condition"]), (&Value::Null, &Value::Null));
    let alarm = &template["Resources"]["TimersUndeliveredAlarm"]["Properties"];
    assert_eq!(alarm["Dimensions"][0]["Value"], json!({ "Ref": "TimerGroup" }));
}

#[test]
fn what_is_missing_or_too_wide_is_found() {
    let template = read("template.yaml");
    let role = "/Resources/NotifySlackRole/Properties/Policies/0/PolicyDocument/Statement";
    let own = template.pointer(role).unwrap().as_array().unwrap();
    let at = |action: &str| own.iter().position(|one| one["Action"].to_string().contains(action)).unwrap();
    let timers = "/Resources/NotifySlackTimersRole/Properties";
    let sweep = "/Resources/NotifySlack/Properties/Events/Sweep/Properties/Schedule";
    for pointer in [
        format!("{role}/{}/Resource", at("scheduler:")),
        format!("{role}/{}/Condition", at("iam:")),
        format!("{timers}/AssumeRolePolicyDocument/Statement/0/Condition/StringEquals/aws:SourceArn"),
        format!("{timers}/Policies/0/PolicyDocument/Statement/0/Resource"),
        sweep.to_owned(),
        "/Resources/NotifySlack/Properties/Environment/Variables/TIMER_DEAD_LETTERS_ARN".to_owned(),
    ] {
        let mut broken = template.clone();
        *broken.pointer_mut(&pointer).unwrap_or_else(|| panic!("{pointer}")) = json!("*");
        assert_eq!(problems(&broken).len(), 1, "{pointer}");
    }
}
