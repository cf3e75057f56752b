from engine.answers import answer, subject


def test_the_same_question_gets_the_same_answer():
    assert answer("be brief", "What is Redis?") == answer("be brief", "What is Redis?")


def test_the_instructions_change_the_answer():
    assert answer("be brief", "What is Redis?") != answer("be long", "What is Redis?")


def test_the_answer_names_the_subject():
    assert answer("", "What is the deadline?").startswith("About deadline: noted.")


def test_a_message_of_fillers_keeps_its_words():
    assert subject("What is it?") == "what is it"


def test_punctuation_alone_is_about_nothing():
    assert answer("", "?!").startswith("About nothing")
